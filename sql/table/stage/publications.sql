-- Purpose: publications that would send sterna's own tables to a subscriber: those of all
--   tables, and those of the schema sterna or of a schema in which staging is created next to
--   the table ($1) or its partitions. They do no harm if no replication slot uses the plugin of publications.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
)
SELECT format(
    'publication %I of %s would give sterna''s own tables to whoever reads the replication slot %s',
    p.pubname,
    CASE WHEN p.puballtables THEN 'all tables' ELSE 'all tables in schema ' || s.names END,
    r.slots
)
FROM pg_catalog.pg_publication AS p
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname) AS names
    -- PostgreSQL 14 has no pg_publication_namespace. Its entries depend on both sides.
    FROM pg_catalog.pg_depend AS pn
    INNER JOIN pg_catalog.pg_depend AS d ON d.classid = pn.classid AND d.objid = pn.objid
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = d.refobjid
    WHERE pn.classid = pg_catalog.to_regclass('pg_catalog.pg_publication_namespace')
        AND pn.refclassid = 'pg_catalog.pg_publication'::regclass AND pn.refobjid = p.oid
        AND d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND (
            n.nspname = 'sterna'
            OR n.oid IN (
                SELECT c.relnamespace
                FROM pg_catalog.pg_class AS c INNER JOIN tree ON tree.oid = c.oid
            )
        )
) AS s
CROSS JOIN (
    SELECT string_agg(quote_ident(slot_name), ', ' ORDER BY slot_name) AS slots
    FROM pg_catalog.pg_replication_slots
    WHERE slot_type = 'logical'
        AND plugin = 'pgoutput'
        AND database = pg_catalog.current_database()
) AS r
WHERE (p.puballtables OR s.names IS NOT NULL) AND r.slots IS NOT NULL
ORDER BY 1
