-- Purpose: who owns some objects, each by its relation where it belongs to one.
-- Lock: none, it reads the catalog. Transaction: either. Undone by: nothing, it reads.
SELECT coalesce(r.relowner, p.proowner)
FROM unnest($1::oid[], $2::oid[]) WITH ORDINALITY AS o (objid, relid, position)
LEFT JOIN pg_catalog.pg_class AS r ON r.oid = o.relid
LEFT JOIN pg_catalog.pg_proc AS p ON o.relid = 0 AND p.oid = o.objid
ORDER BY o.position
