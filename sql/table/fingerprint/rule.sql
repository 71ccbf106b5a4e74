-- Purpose: the rules of the table and of views that depend on it, and those of other relations
--   that mention it. The query of a view is in the entry of the view.
-- Lock: that of scope.sql. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'rule',
    i.identity,
    concat_ws(
        E'\n',
        'definition: ' || pg_get_ruledef(r.oid),
        'enabled: ' || r.ev_enabled::text
    )
FROM pg_rewrite AS r
CROSS JOIN LATERAL pg_identify_object('pg_rewrite'::regclass, r.oid, 0) AS i
WHERE
    r.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_rewrite'::regclass))
    AND (r.ev_type <> '1' OR r.ev_enabled <> 'O')
