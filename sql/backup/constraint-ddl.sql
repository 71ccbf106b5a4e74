-- Purpose: the statements that build the indexes and constraints of tables, of partitions before
--   those of the tables that they are partitions of; foreign keys last, so that the keys they
--   refer to exist. $1 are the tables, each partition after the one above it. What a partition
--   has only because the table above has it comes with that, except for indexes.
-- Lock: none. Transaction: yes, on the backup's snapshot. Undone by: nothing, it only reads.
WITH tables (oid, place) AS (
    SELECT * FROM unnest($1::oid[]) WITH ORDINALITY
)
SELECT statement FROM (
    SELECT
        CASE con.contype WHEN 'f' THEN 4 ELSE 1 END AS turn,
        place,
        pg_catalog.format(
            E'ALTER TABLE %s%I.%I ADD CONSTRAINT %I %s;\n',
            CASE WHEN c.relkind = 'p' AND con.contype IN ('p', 'u', 'x') THEN 'ONLY ' ELSE '' END,
            n.nspname, c.relname, con.conname, pg_catalog.pg_get_constraintdef(con.oid)
        ) AS statement
    FROM tables
    INNER JOIN pg_catalog.pg_constraint AS con ON con.conrelid = tables.oid
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = con.conrelid
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    -- A validated NOT NULL is part of the column.
    WHERE con.contype IN ('p', 'u', 'x')
        OR con.contype = 'f' AND con.conparentid = 0
        OR con.contype = 'c' AND con.conislocal
        OR con.contype = 'n' AND con.conislocal AND NOT con.convalidated
    UNION ALL
    SELECT 2, place, pg_catalog.pg_get_indexdef(i.indexrelid) || E';\n'
    FROM tables
    INNER JOIN pg_catalog.pg_index AS i ON i.indrelid = tables.oid
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    -- That of a partitioned table is not valid if a partition lacks it.
    WHERE (i.indisvalid OR c.relkind = 'I')
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS con
            WHERE con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x')
        )
    UNION ALL
    SELECT
        3,
        place,
        pg_catalog.format(
            E'ALTER INDEX %s ATTACH PARTITION %s;\n', h.inhparent::regclass, h.inhrelid::regclass
        )
    FROM tables
    INNER JOIN pg_catalog.pg_index AS i ON i.indrelid = tables.oid
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    INNER JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = i.indexrelid
    WHERE i.indisvalid OR c.relkind = 'I'
) AS ordered
ORDER BY turn, place DESC, statement
