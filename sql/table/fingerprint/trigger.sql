-- Purpose: the triggers of the table and of views that depend on it, and those elsewhere that
--   call a function that depends on it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'trigger',
    i.identity,
    concat_ws(
        E'\n',
        'definition: ' || pg_get_triggerdef(t.oid),
        'enabled: ' || t.tgenabled::text,
        'parent: ' || (
            SELECT p.identity
            FROM pg_identify_object('pg_trigger'::regclass, nullif(t.tgparentid, 0), 0) AS p
        )
    )
FROM pg_trigger AS t
CROSS JOIN LATERAL pg_identify_object('pg_trigger'::regclass, t.oid, 0) AS i
WHERE
    t.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_trigger'::regclass))
    AND (
        NOT t.tgisinternal
        -- PostgreSQL 14 counts a partition's copy of a trigger as internal.
        OR t.tgparentid <> 0 AND NOT EXISTS (
            SELECT FROM pg_constraint AS con WHERE con.oid = t.tgconstraint AND con.contype <> 't'
        )
    )
