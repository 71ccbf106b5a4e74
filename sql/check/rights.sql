-- Purpose: the rights that this role lacks for a load and a switchover of a table, one
--   per line, each with what grants it. What must be altered belongs to others at times:
--   names of such things and their owners come as parameters.
-- Lock: none, it reads the catalog. Transaction: either. Undone by: nothing, it reads.
WITH target AS (
    SELECT c.*, c.oid AS relid, n.nspname, n.nspowner
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = $1
),
me AS (
    SELECT rolsuper, rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user
),
-- What a switchover alters, with its owner.
altered (what, owner) AS (
    SELECT 'table ' || relid::regclass, relowner FROM target
    UNION ALL
    SELECT DISTINCT 'table ' || c.conrelid::regclass || ', which refers to it', r.relowner
    FROM pg_catalog.pg_constraint AS c
    INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.conrelid
    WHERE c.confrelid = $1 AND c.conrelid <> $1 AND c.contype = 'f'
    UNION ALL
    SELECT 'publication ' || quote_ident(p.pubname), p.pubowner
    FROM pg_catalog.pg_publication_rel AS r
    INNER JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
    WHERE r.prrelid = $1
    UNION ALL
    SELECT * FROM unnest($2::text[], $3::oid[])
),
referred AS (
    SELECT DISTINCT confrelid FROM pg_catalog.pg_constraint
    WHERE conrelid = $1 AND contype = 'f' AND confrelid <> $1
),
grantor AS (
    SELECT a.grantor
    FROM target AS t, LATERAL pg_catalog.aclexplode(t.relacl) AS a
    WHERE a.grantor <> t.relowner
    UNION
    SELECT a.grantor
    FROM target AS t
    INNER JOIN pg_catalog.pg_attribute AS att ON att.attrelid = t.relid
    CROSS JOIN LATERAL pg_catalog.aclexplode(att.attacl) AS a
    WHERE a.grantor <> t.relowner
)
SELECT format('ownership of %s: GRANT %I TO %I', what, pg_get_userbyid(owner), current_user)
FROM altered WHERE NOT pg_catalog.pg_has_role(owner, 'USAGE')
UNION ALL
SELECT format('CREATE on schema %I: GRANT CREATE ON SCHEMA %1$I TO %I', nspname, r.name)
FROM target, LATERAL (VALUES (current_user), (pg_get_userbyid(relowner))) AS r (name)
WHERE NOT pg_catalog.has_schema_privilege(r.name, relnamespace, 'CREATE')
UNION ALL
SELECT format(
    'CREATE on the database, for the ledger: GRANT CREATE ON DATABASE %I TO %I',
    current_database(), current_user
)
WHERE pg_catalog.to_regnamespace('sterna') IS NULL
    AND NOT pg_catalog.has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT format('%s on %s: GRANT %1$s ON %2$s TO %I', right_name, confrelid::regclass, current_user)
FROM referred, LATERAL (VALUES ('SELECT'), ('REFERENCES')) AS needed (right_name)
WHERE NOT pg_catalog.has_table_privilege(confrelid, right_name)
UNION ALL
SELECT format('TRIGGER on %s: GRANT TRIGGER ON %1$s TO %I', relid::regclass, current_user)
FROM target WHERE NOT pg_catalog.has_table_privilege(relid, 'TRIGGER')
UNION ALL
SELECT format(
    'membership in %I, which granted rights on %2$s: GRANT %1$I TO %3$I',
    pg_get_userbyid(grantor), $1::regclass, current_user
)
FROM grantor WHERE NOT pg_catalog.pg_has_role(grantor, 'MEMBER')
UNION ALL
SELECT format(
    'BYPASSRLS, for row-level security hides rows of %s: ALTER ROLE %I BYPASSRLS',
    c.oid::regclass, current_user
)
FROM pg_catalog.pg_class AS c, me
WHERE c.oid IN (SELECT $1 UNION ALL SELECT confrelid FROM referred)
    AND c.relrowsecurity
    AND NOT (me.rolsuper OR me.rolbypassrls)
    AND (c.relforcerowsecurity OR NOT pg_catalog.pg_has_role(c.relowner, 'USAGE'))
ORDER BY 1
