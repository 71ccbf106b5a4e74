-- Purpose: the indexes of a table and of its partitions, except those that belong to an index of
--   the table above them: the table, the part of each definition after the table's name, and the
--   constraint that the index backs.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    i.indexrelid,
    ic.relname::text,
    i.indisunique,
    -- The definition is known up to the table's name, so the rest can be cut off without
    -- parsing. NULL if it does not start as expected.
    CASE WHEN starts_with(def.text, def.head) THEN substr(def.text, length(def.head) + 1) END,
    con.conname::text,
    con.contype::text,
    con.condeferrable,
    con.condeferred,
    -- Only their definition can build these. Servers before 18 have no WITHOUT OVERLAPS.
    con.contype = 'x' OR c.relkind = 'p' OR to_jsonb(con) ->> 'conperiod' = 'true',
    pg_catalog.pg_get_constraintdef(con.oid),
    n.nspname::text,
    c.relname::text
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_constraint AS con
    ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid AND con.contype IN ('p', 'u', 'x')
CROSS JOIN LATERAL (
    SELECT
        pg_catalog.pg_get_indexdef(i.indexrelid) AS text,
        'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
        || quote_ident(ic.relname) || ' ON ' || CASE ic.relkind WHEN 'I' THEN 'ONLY ' ELSE '' END || quote_ident(n.nspname) || '.'
        || quote_ident(c.relname) || ' ' AS head
) AS def
WHERE i.indisvalid AND i.indislive
    AND (
        i.indrelid = $1
        OR NOT ic.relispartition
            AND i.indrelid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree($1) AS t)
    )
-- Largest first: the primary key on random ids takes longest to sort.
ORDER BY i.indisprimary DESC, i.indisunique DESC, ic.relname
