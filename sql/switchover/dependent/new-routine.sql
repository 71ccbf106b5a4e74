-- Purpose: a routine with the replaced table's row type in its signature. It cannot be changed
--   in place: the old one is renamed out of the way, and a new one gets its owner, rights and
--   comment.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH routine AS (
    SELECT
        p.oid,
        p.oid::regprocedure::text AS signature,
        p.proowner,
        p.proacl,
        pg_catalog.pg_get_functiondef(p.oid) AS definition,
        pg_catalog.obj_description(p.oid, 'pg_proc') AS comment
    FROM pg_catalog.pg_proc AS p
    WHERE p.oid = $1
)
SELECT
    ARRAY[format('ALTER ROUTINE %s RENAME TO %I', r.signature, $2::text)],
    array_remove(
        ARRAY[
            r.definition,
            format('ALTER ROUTINE %s OWNER TO %I', r.signature,
                pg_catalog.pg_get_userbyid(r.proowner)),
            format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', r.signature)
        ]
        -- Revokes what default privileges gave to the new one.
        || (
            SELECT array_agg(DISTINCT format('REVOKE ALL ON ROUTINE %s FROM %I', r.signature,
                pg_catalog.pg_get_userbyid(a.grantee)))
            FROM pg_catalog.pg_default_acl AS d
            CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS a
            WHERE d.defaclobjtype = 'f' AND a.grantee <> 0 AND a.grantee <> r.proowner
        )
        || (
            SELECT array_agg(
                format(
                    'GRANT EXECUTE ON ROUTINE %s TO %s%s',
                    r.signature,
                    CASE WHEN a.grantee = 0 THEN 'PUBLIC'
                         ELSE quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
                    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
                ) ORDER BY a.is_grantable DESC, a.grantee
            )
            FROM pg_catalog.aclexplode(
                coalesce(r.proacl, pg_catalog.acldefault('f', r.proowner))
            ) AS a
            WHERE a.grantee <> r.proowner
        )
        || CASE WHEN r.comment IS NOT NULL THEN
            format('COMMENT ON ROUTINE %s IS %L', r.signature, r.comment)
        END,
        NULL
    )
FROM routine AS r
