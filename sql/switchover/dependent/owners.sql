-- Purpose: the owners of the given objects, or of the relation that an object belongs to.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT coalesce(r.relowner, p.proowner)
FROM unnest($1::oid[], $2::oid[]) WITH ORDINALITY AS o (objid, relid, position)
LEFT JOIN pg_catalog.pg_class AS r ON r.oid = o.relid
LEFT JOIN pg_catalog.pg_proc AS p ON o.relid = 0 AND p.oid = o.objid
ORDER BY o.position
