-- Purpose: the comments on the table, on what is attached to it or depends on it, and on the
--   columns of all these.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'comment',
    i.type || ' ' || i.identity,
    d.description
FROM pg_description AS d
CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
WHERE
    d.objoid = ANY (ARRAY(SELECT objid FROM object))
    AND (d.classoid, d.objoid) IN (SELECT classid, objid FROM object)
