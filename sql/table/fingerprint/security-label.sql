-- Purpose: the security labels of the table, and of what is attached to it or depends on it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'security label',
    format('%s %s by %s', i.type, i.identity, l.provider),
    l.label
FROM pg_seclabel AS l
CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) AS i
WHERE
    l.objoid = ANY (ARRAY(SELECT objid FROM object))
    AND (l.classoid, l.objoid) IN (SELECT classid, objid FROM object)
