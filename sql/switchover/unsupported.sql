-- Purpose: why a table cannot be replaced: one line for each thing that would be lost, or that
--   makes it something other than an ordinary table.
-- Lock: none, it only reads the catalog; ACCESS SHARE on partitions. Transaction: either.
-- Undone by: nothing, it only reads.
WITH tree AS (
    SELECT $1::oid AS oid, 'it' AS name
    UNION ALL
    SELECT t.relid, format('its partition %s', t.relid)
    FROM pg_catalog.pg_partition_tree($1) AS t WHERE t.relid <> $1
)
SELECT reason FROM (
    SELECT CASE
        WHEN c.relkind = 'f' THEN 'it is a foreign table'
        WHEN c.relkind NOT IN ('r', 'p') THEN 'it is not a table'
        WHEN c.relpersistence = 'u' THEN 'it is unlogged: a crash would empty it'
        WHEN c.relpersistence = 't' THEN 'it is temporary'
        WHEN c.reloftype <> 0 THEN
            'it is a typed table, of type ' || c.reloftype::regtype::text
    END AS reason
    FROM pg_catalog.pg_class AS c WHERE c.oid = $1
    UNION ALL
    SELECT 'it inherits from ' || i.inhparent::regclass::text
    FROM pg_catalog.pg_inherits AS i INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhrelid = $1 AND NOT c.relispartition
    UNION ALL
    SELECT 'it has a child table, ' || i.inhrelid::regclass::text
    FROM pg_catalog.pg_inherits AS i INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.inhparent
    WHERE i.inhparent = $1 AND c.relkind <> 'p'
    UNION ALL
    SELECT t.name || ' belongs to the extension ' || e.extname
    FROM tree AS t
    INNER JOIN pg_catalog.pg_depend AS d ON d.objid = t.oid
    INNER JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass
        AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
    UNION ALL
    SELECT 'it has no primary key, by which writes during the run are carried over'
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_index WHERE indrelid = $1 AND indisprimary
    )
    UNION ALL
    SELECT format('the index %s is not valid: REINDEX or drop it first', indexrelid::regclass)
    FROM pg_catalog.pg_index
    WHERE indrelid IN (SELECT oid FROM tree) AND NOT (indisvalid AND indisready AND indislive)
    UNION ALL
    -- A copy of the structure cannot refer to the copy's whole row.
    SELECT format('the index %s uses the whole row', indexrelid::regclass)
    FROM pg_catalog.pg_index
    WHERE indrelid IN (SELECT oid FROM tree) AND concat(indexprs, indpred) ~ ':varattno 0 '
    UNION ALL
    SELECT format('the constraint %I uses the whole row', conname)
    FROM pg_catalog.pg_constraint
    WHERE conrelid IN (SELECT oid FROM tree) AND conbin::text ~ ':varattno 0 '
    UNION ALL
    SELECT format('the table %s, which refers to it, is partitioned or foreign',
        c.conrelid::regclass)
    FROM pg_catalog.pg_constraint AS c
    INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.conrelid
    WHERE c.confrelid IN (SELECT oid FROM tree) AND c.contype = 'f' AND r.relkind <> 'r'
        AND c.conparentid = 0
    UNION ALL
    SELECT format('the check of foreign key %I on %s is switched off', c.conname,
        c.conrelid::regclass)
    FROM pg_catalog.pg_constraint AS c
    WHERE c.contype = 'f'
        AND (
            c.conrelid IN (SELECT oid FROM tree)
            OR c.confrelid IN (SELECT oid FROM tree)
            -- Those to a table that it is a partition of are dropped and added again, with all
            -- that belong to them.
            OR c.confrelid IN (SELECT a.relid FROM pg_catalog.pg_partition_ancestors($1) AS a)
            OR c.conparentid <> 0 AND c.confrelid IN (
                SELECT t.relid
                FROM pg_catalog.pg_partition_tree(pg_catalog.pg_partition_root($1)) AS t
            )
        )
        AND EXISTS (
            SELECT FROM pg_catalog.pg_trigger AS t
            WHERE t.tgconstraint = c.oid AND t.tgenabled <> 'O'
        )
    UNION ALL
    -- Servers before 18 have neither.
    SELECT format('the foreign key %I on %s is %s', c.conname, c.conrelid::regclass, kind)
    FROM pg_catalog.pg_constraint AS c
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN to_jsonb(c) ->> 'conperiod' = 'true' THEN 'temporal (PERIOD)'
            WHEN to_jsonb(c) ->> 'conenforced' = 'false' THEN 'NOT ENFORCED'
        END
    ) AS k (kind)
    WHERE c.contype = 'f' AND kind IS NOT NULL
        AND (c.conparentid = 0 OR $1 IN (c.conrelid, c.confrelid))
        AND (c.conrelid IN (SELECT oid FROM tree) OR c.confrelid IN (SELECT oid FROM tree))
    UNION ALL
    SELECT format('%s has a security label of the provider %s', t.name, s.provider)
    FROM tree AS t
    INNER JOIN pg_catalog.pg_seclabel AS s ON s.objoid = t.oid
    WHERE s.classoid = 'pg_catalog.pg_class'::regclass
) AS reasons
WHERE reason IS NOT NULL
