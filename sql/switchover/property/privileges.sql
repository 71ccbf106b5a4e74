-- Purpose: the rights on a relation, its columns and its identity sequences: statements that
--   revoke every right of others and grant them again, each by the role that had granted it;
--   what the owner has revoked from itself stays revoked. The role is always set: for a member
--   of several roles with the grant option, the server would pick any. GRANT ON TABLE also
--   accepts a sequence.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH RECURSIVE target AS (
    SELECT c.oid, c.relowner, c.relacl
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = $1 OR EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass
            AND d.objid = c.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass
            AND d.refobjid = $1
            AND d.deptype = 'i'
            AND c.relkind = 'S'
    )
),
granted AS (
    SELECT t.oid, t.relowner, a.grantor, a.grantee, a.is_grantable, NULL::text AS column_name,
        a.privilege_type
    FROM target AS t, LATERAL pg_catalog.aclexplode(t.relacl) AS a
    UNION ALL
    SELECT t.oid, t.relowner, a.grantor, a.grantee, a.is_grantable, quote_ident(att.attname),
        a.privilege_type
    FROM target AS t
    INNER JOIN pg_catalog.pg_attribute AS att ON att.attrelid = t.oid AND att.attacl IS NOT NULL
    CROSS JOIN LATERAL pg_catalog.aclexplode(att.attacl) AS a
    WHERE NOT att.attisdropped
),
-- How many grants a right has passed through: it can be granted on only after it was granted.
passed_on AS (
    SELECT g.*, 0 AS hands FROM granted AS g WHERE g.grantor = g.relowner
    UNION ALL
    SELECT g.*, p.hands + 1
    FROM granted AS g
    INNER JOIN passed_on AS p
        ON p.oid = g.oid
        AND p.grantee = g.grantor
        AND p.is_grantable
        AND p.privilege_type = g.privilege_type
        AND coalesce(p.column_name, g.column_name) IS NOT DISTINCT FROM g.column_name
    WHERE g.grantor <> g.relowner
),
role_names AS (
    SELECT
        g.*,
        CASE WHEN g.grantee = 0 THEN 'PUBLIC'
             ELSE quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END AS grantee_name,
        quote_ident(pg_catalog.pg_get_userbyid(g.grantor)) AS grantor_name
    FROM (
        SELECT oid, relowner, grantor, grantee, is_grantable, column_name, privilege_type,
            max(hands) AS hands
        FROM passed_on
        GROUP BY oid, relowner, grantor, grantee, is_grantable, column_name, privilege_type
    ) AS g
)
SELECT * FROM (
    SELECT
        ARRAY[]::text[] AS detach,
        ARRAY[
            'SET LOCAL ROLE ' || quote_ident(pg_catalog.pg_get_userbyid(relowner)),
            format('REVOKE ALL ON TABLE %s FROM %I', oid::regclass,
                pg_catalog.pg_get_userbyid(relowner)),
            'RESET ROLE'
        ] AS attach,
        0 AS position,
        '' AS name
    FROM target WHERE relacl IS NOT NULL
    UNION ALL
    SELECT
        ARRAY['SET LOCAL ROLE ' || quote_ident(pg_catalog.pg_get_userbyid(relowner))]
        || array_agg(DISTINCT format('REVOKE ALL ON TABLE %s FROM %s CASCADE', oid::regclass,
            grantee_name)) FILTER (WHERE grantee <> relowner AND grantor = relowner)
        || ARRAY['RESET ROLE'],
        ARRAY['SET LOCAL ROLE ' || grantor_name]
        || format(
            'GRANT %s ON TABLE %s TO %s%s',
            string_agg(
                privilege_type || coalesce(' (' || column_name || ')', ''), ', '
                ORDER BY privilege_type, column_name
            ),
            oid::regclass,
            grantee_name,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        )
        || ARRAY['RESET ROLE'],
        1 + hands,
        grantee_name
    FROM role_names
    -- The owner's rights are always grantable; an owner cannot grant them to itself WITH GRANT
    -- OPTION.
    GROUP BY oid, relowner, grantor, grantor_name, grantee, grantee_name,
        is_grantable, hands
) AS statements
ORDER BY position, name
