-- Purpose: the statements that build the indexes and constraints of tables, foreign keys last,
--   so that the keys they refer to exist.
-- Lock: none. Transaction: yes, on the backup's snapshot. Undone by: nothing, it only reads.
SELECT statement FROM (
    SELECT
        CASE con.contype WHEN 'f' THEN 3 ELSE 1 END AS turn,
        pg_catalog.format(
            E'ALTER TABLE %I.%I ADD CONSTRAINT %I %s;\n', n.nspname, c.relname, con.conname,
            pg_catalog.pg_get_constraintdef(con.oid)
        ) AS statement
    FROM pg_catalog.pg_constraint AS con
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = con.conrelid
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE con.conrelid = ANY($1::oid[])
        -- A validated NOT NULL is part of the column.
        AND (
            con.contype IN ('p', 'u', 'x', 'c', 'f')
            OR con.contype = 'n' AND NOT con.convalidated
        )
    UNION ALL
    SELECT 2, pg_catalog.pg_get_indexdef(i.indexrelid) || E';\n'
    FROM pg_catalog.pg_index AS i
    WHERE i.indrelid = ANY($1::oid[]) AND i.indisvalid
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS con
            WHERE con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x')
        )
) AS ordered
ORDER BY turn, statement
