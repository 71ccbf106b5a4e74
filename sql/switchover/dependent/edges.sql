-- Purpose: which of the given views and routines directly use which others: by what was parsed,
--   or by a row type in their signature.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH object AS (
    SELECT o.classid, o.objid FROM unnest($1::oid[], $2::oid[]) AS o (classid, objid)
),
part AS (
    SELECT o.objid AS owner, o.classid, o.objid FROM object AS o
    UNION ALL
    SELECT o.objid, 'pg_catalog.pg_rewrite'::regclass, r.oid
    FROM object AS o INNER JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = o.objid
    WHERE o.classid = 'pg_catalog.pg_class'::regclass
    UNION ALL
    SELECT o.objid, 'pg_catalog.pg_type'::regclass, t.oid
    FROM object AS o
    INNER JOIN pg_catalog.pg_type AS r ON r.typrelid = o.objid
    INNER JOIN pg_catalog.pg_type AS t ON t.oid IN (r.oid, r.typarray)
    WHERE o.classid = 'pg_catalog.pg_class'::regclass
)
SELECT DISTINCT u.owner, f.owner
FROM part AS u
INNER JOIN pg_catalog.pg_depend AS d ON d.classid = u.classid AND d.objid = u.objid
INNER JOIN part AS f ON f.classid = d.refclassid AND f.objid = d.refobjid
WHERE u.owner <> f.owner
