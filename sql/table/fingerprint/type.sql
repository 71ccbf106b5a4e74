-- Purpose: the row type and its array type, whose name can differ from the usual one, those of
--   views that depend on the table, and domains and ranges over them.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'type',
    i.identity,
    concat_ws(
        E'\n',
        'name: ' || t.typname,
        'kind: ' || t.typtype::text,
        'owner: ' || pg_get_userbyid(t.typowner),
        'over: ' || CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
        'not null: ' || nullif(t.typnotnull, false),
        'default: ' || t.typdefault
    )
FROM pg_type AS t
CROSS JOIN LATERAL pg_identify_object('pg_type'::regclass, t.oid, 0) AS i
WHERE t.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_type'::regclass))
