-- Purpose: which of these objects are members of an extension, or are dropped with one.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'extension',
    format('%s %s with %I', i.type, i.identity, e.extname),
    CASE d.deptype WHEN 'e' THEN 'member' ELSE 'dependent' END
FROM pg_depend AS d
INNER JOIN pg_extension AS e ON e.oid = d.refobjid
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS i
WHERE
    d.classid = ANY (ARRAY(SELECT DISTINCT classid FROM object))
    AND d.objid = ANY (ARRAY(SELECT objid FROM object))
    AND d.refclassid = 'pg_extension'::regclass AND d.deptype IN ('e', 'x')
    AND (d.classid, d.objid) IN (SELECT classid, objid FROM object)
