-- Purpose: which table is live, by the latest switchover: the new one, the old one or neither; since
--   when; whether it was made since the latest migration began; and the old table's name.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    CASE c.oid WHEN s.new_relid THEN 'new' WHEN s.old_relid THEN 'old' END,
    to_char(
        CASE s.state WHEN 'returned' THEN s.returned_at ELSE s.switched_at END
        AT TIME ZONE 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS"Z"'
    ),
    s.switched_at >= coalesce(
        (
            SELECT max(m.started_at) FROM sterna.migration AS m
            WHERE m.schema_name = $1 AND m.table_name = $2 AND m.kind = 'migration'
        ),
        '-infinity'
    ),
    old_schema.nspname,
    old_table.relname
FROM sterna.switchover AS s
LEFT JOIN (
    pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
) ON n.nspname = $1 AND c.relname = $2
LEFT JOIN (
    pg_catalog.pg_class AS old_table
    INNER JOIN pg_catalog.pg_namespace AS old_schema ON old_schema.oid = old_table.relnamespace
) ON old_table.oid = s.old_relid
WHERE s.schema_name = $1 AND s.table_name = $2
ORDER BY s.switched_at DESC
LIMIT 1
