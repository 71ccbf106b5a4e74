-- Purpose: statements that compute the rows of a materialized view in a second one, with its
--   owner's rights, to see how long that takes.
-- Lock: none, it only produces text. Transaction: either. Undone by: nothing, it only reads.
SELECT
    c.oid::regclass::text,
    format('CREATE MATERIALIZED VIEW %1$s AS %2$s WITH NO DATA; ALTER MATERIALIZED VIEW %1$s OWNER TO %3$I',
        p.name, rtrim(pg_catalog.pg_get_viewdef(c.oid), ';'),
        pg_catalog.pg_get_userbyid(c.relowner)),
    format('REFRESH MATERIALIZED VIEW %s', p.name),
    format('DROP MATERIALIZED VIEW %s', p.name)
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, 'sterna_probe_' || c.oid) AS name) AS p
WHERE c.oid = ANY ($1) AND c.relkind = 'm' AND c.relispopulated
ORDER BY c.oid
