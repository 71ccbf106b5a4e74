-- Purpose: the functions and procedures that depend on the table: by their arguments, results
--   or a body that was parsed when they were created.
-- Lock: that of scope.sql. Transaction: either. Undone by: nothing, it only reads.
SELECT
    i.type,
    i.identity,
    concat_ws(
        E'\n',
        -- The server does not return the definition of an aggregate.
        CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END,
        'owner: ' || pg_get_userbyid(p.proowner),
        (
            SELECT concat_ws(
                E'\n',
                'result: ' || pg_get_function_result(p.oid),
                'state: ' || a.aggtransfn::regprocedure || ' on ' || a.aggtranstype::regtype,
                'initial state: ' || a.agginitval,
                'final: ' || nullif(a.aggfinalfn, 0)::regprocedure
            )
            FROM pg_aggregate AS a
            WHERE a.aggfnoid = p.oid
        )
    )
FROM pg_proc AS p
CROSS JOIN LATERAL pg_identify_object('pg_proc'::regclass, p.oid, 0) AS i
WHERE p.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_proc'::regclass))
