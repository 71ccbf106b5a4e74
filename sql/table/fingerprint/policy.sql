-- Purpose: the policies of the table, and those of other tables that mention it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'policy',
    i.identity,
    concat_ws(
        E'\n',
        'command: ' || p.polcmd::text,
        'permissive: ' || p.polpermissive,
        'roles: ' || (
            SELECT string_agg(named.role, ', ' ORDER BY named.role)
            FROM unnest(p.polroles) AS member
            CROSS JOIN LATERAL (
                SELECT CASE member WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(member)) END
            ) AS named (role)
        ),
        'using: ' || pg_get_expr(p.polqual, p.polrelid),
        'with check: ' || pg_get_expr(p.polwithcheck, p.polrelid)
    )
FROM pg_policy AS p
CROSS JOIN LATERAL pg_identify_object('pg_policy'::regclass, p.oid, 0) AS i
WHERE p.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_policy'::regclass))
