-- Purpose: defaults of columns elsewhere that use functions or sequences which belong to the
--   table or read it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'default',
    i.identity,
    pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef AS d
CROSS JOIN LATERAL pg_identify_object('pg_attrdef'::regclass, d.oid, 0) AS i
WHERE
    d.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_attrdef'::regclass))
    AND ('pg_class'::regclass, d.adrelid) NOT IN (SELECT classid, objid FROM object)
