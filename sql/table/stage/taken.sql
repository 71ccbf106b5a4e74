-- Purpose: which of these names ($1: table, relation or statistics; $2: schemas; $3: names) are
--   taken, except by certain tables ($4) and what belongs to them. A table also needs the name for
--   its row type.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT DISTINCT taken.name
FROM unnest($1::text[], $2::text[], $3::text[]) AS w (kind, schema_name, name)
INNER JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema_name
CROSS JOIN LATERAL (
    SELECT c.oid::regclass::text
    FROM pg_catalog.pg_class AS c
    WHERE w.kind <> 'statistics' AND c.relnamespace = n.oid AND c.relname = w.name
        AND c.oid <> ALL ($4::oid[])
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_index AS i
            WHERE i.indexrelid = c.oid AND i.indrelid = ANY ($4)
        )
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = ANY ($4)
                AND d.deptype IN ('i', 'a') AND c.relkind = 'S'
        )
    UNION ALL
    SELECT format('%I.%I', n.nspname, e.stxname)
    FROM pg_catalog.pg_statistic_ext AS e
    WHERE w.kind = 'statistics' AND e.stxnamespace = n.oid AND e.stxname = w.name
        AND e.stxrelid <> ALL ($4)
    UNION ALL
    SELECT y.oid::regtype::text
    FROM pg_catalog.pg_type AS y
    WHERE w.kind = 'table' AND y.typnamespace = n.oid AND y.typname = w.name AND y.typrelid = 0
        -- The server renames an array type that is in the way.
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS e WHERE e.typarray = y.oid)
) AS taken (name)
ORDER BY 1
