-- Purpose: columns elsewhere whose type is the table's row type or based on it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'row type column',
    i.identity,
    format_type(a.atttypid, a.atttypmod)
FROM pg_depend AS d
INNER JOIN pg_attribute AS a ON a.attrelid = d.objid AND a.attnum = d.objsubid
CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, a.attrelid, a.attnum) AS i
WHERE
    d.refclassid = 'pg_type'::regclass
    AND d.refobjid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_type'::regclass))
    AND d.classid = 'pg_class'::regclass AND d.objsubid > 0
    AND ('pg_class'::regclass, d.objid) NOT IN (SELECT classid, objid FROM object)
    AND ('pg_class'::regclass, d.objid) NOT IN (SELECT classid, objid FROM own)
