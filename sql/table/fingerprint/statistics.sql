-- Purpose: the extended statistics of the table and of materialized views that depend on it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'statistics',
    i.identity,
    concat_ws(
        E'\n',
        'definition: ' || pg_get_statisticsobjdef(s.oid),
        'owner: ' || pg_get_userbyid(s.stxowner),
        -- As with columns, the default is -1 before PostgreSQL 17, and NULL since.
        'statistics target: ' || nullif(s.stxstattarget, -1)
    )
FROM pg_statistic_ext AS s
CROSS JOIN LATERAL pg_identify_object('pg_statistic_ext'::regclass, s.oid, 0) AS i
WHERE s.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_statistic_ext'::regclass))
