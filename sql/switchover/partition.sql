-- Purpose: for a partition ($1), the statements that detach it, and those that attach the table
--   which then has its name, with the same bound and the foreign keys that it inherits; what is
--   locked before it: its parent, or all partitions if foreign keys refer to the partitioned
--   table, because these are dropped and added; and the default partition next to it, whose rows
--   ATTACH PARTITION reads. What is detached keeps a CHECK of the bound in its place. No row for
--   a table that is no partition.
-- Lock: none, it only reads the catalog; its statements: ACCESS EXCLUSIVE on these relations and
--   on those that the keys connect. Transaction: yes, that of the exchange.
-- Undone by: the exchange back.
WITH leaf AS (
    SELECT
        c.oid,
        c.oid::regclass AS name,
        h.inhparent AS parent,
        pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound,
        pg_catalog.pg_get_partition_constraintdef(c.oid) AS condition
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid
    WHERE c.oid = $1 AND c.relispartition
),
inherited AS (
    SELECT
        array_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', leaf.name, c.conname)
            ORDER BY c.conname) AS dropped,
        -- Valid ones, because up to PostgreSQL 17 only these become the parent's.
        array_agg(format('ALTER TABLE %s ADD CONSTRAINT %I %s', leaf.name, c.conname,
            pg_catalog.pg_get_constraintdef(c.oid)) ORDER BY c.conname) AS added,
        array_agg(format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.conname, leaf.name,
            d.description) ORDER BY c.conname) FILTER (WHERE d.description IS NOT NULL)
            AS described
    FROM leaf
    INNER JOIN pg_catalog.pg_constraint AS c
        ON c.conrelid = leaf.oid AND c.contype = 'f' AND c.conparentid <> 0
    LEFT JOIN pg_catalog.pg_description AS d
        ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_constraint'::regclass
),
-- A partition with rows that others refer to cannot be detached. Validated after the exchange, the
-- keys to the single partitions would remain NOT VALID up to PostgreSQL 17.
incoming AS (
    SELECT
        array_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname)
            ORDER BY c.conrelid::regclass::text, c.conname) AS dropped,
        array_agg(format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname,
            pg_catalog.pg_get_constraintdef(c.oid))
            ORDER BY c.conrelid::regclass::text, c.conname) AS added,
        array_agg(format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.conname,
            c.conrelid::regclass, d.description) ORDER BY c.conname)
            FILTER (WHERE d.description IS NOT NULL) AS described
    FROM leaf
    CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(leaf.oid) AS a
    INNER JOIN pg_catalog.pg_constraint AS c
        ON c.confrelid = a.relid AND c.contype = 'f' AND c.conparentid = 0
    LEFT JOIN pg_catalog.pg_description AS d
        ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_constraint'::regclass
    WHERE a.relid <> leaf.oid
)
SELECT
    array_remove(
        incoming.dropped
        || format('ALTER TABLE %s DETACH PARTITION %s', leaf.parent::regclass, leaf.name)
        || inherited.dropped
        -- The only partition, if it is the default one, takes every row.
        || CASE WHEN leaf.condition IS NOT NULL THEN
            format('ALTER TABLE %s ADD CONSTRAINT sterna_partition CHECK (%s) NOT VALID',
                leaf.name, leaf.condition) END,
        NULL
    ),
    array_remove(
        inherited.added
        || format('ALTER TABLE %s ATTACH PARTITION %s %s', leaf.parent::regclass, leaf.name,
            leaf.bound)
        || CASE WHEN leaf.condition IS NOT NULL THEN
            format('ALTER TABLE %s DROP CONSTRAINT sterna_partition', leaf.name) END
        || inherited.described
        || incoming.added
        || incoming.described,
        NULL
    ),
    CASE WHEN incoming.dropped IS NULL THEN ARRAY[leaf.parent] ELSE ARRAY(
        SELECT t.relid::oid
        FROM pg_catalog.pg_partition_tree(pg_catalog.pg_partition_root(leaf.oid)) AS t
        ORDER BY t.level, t.relid::oid
    ) END,
    ARRAY(
        SELECT t.relid::oid
        FROM pg_catalog.pg_partitioned_table AS k
        CROSS JOIN LATERAL pg_catalog.pg_partition_tree(k.partdefid) AS t
        WHERE k.partrelid = leaf.parent AND k.partdefid NOT IN (0, leaf.oid)
        ORDER BY t.level, t.relid::oid
    )
FROM leaf CROSS JOIN inherited CROSS JOIN incoming
