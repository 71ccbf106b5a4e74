-- Purpose: the existing backup tables of a table, by name; those dropped by hand are left out.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    b.relid::regclass::text,
    b.row_count,
    to_char(b.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.backup_table AS b
INNER JOIN pg_catalog.pg_class AS c ON c.oid = b.relid
WHERE b.schema_name = $1 AND b.table_name = $2
