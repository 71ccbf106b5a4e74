-- Purpose: everything else that depends on the table, such as a cast or an operator, by its
--   identity alone.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'dependent',
    i.type || ' ' || i.identity,
    i.type
FROM object
CROSS JOIN LATERAL pg_identify_object(object.classid, object.objid, 0) AS i
WHERE
    object.classid NOT IN (
        'pg_attrdef'::regclass,
        'pg_class'::regclass,
        'pg_constraint'::regclass,
        'pg_policy'::regclass,
        'pg_proc'::regclass,
        'pg_publication_rel'::regclass,
        'pg_rewrite'::regclass,
        'pg_statistic_ext'::regclass,
        'pg_trigger'::regclass,
        'pg_type'::regclass
    )
