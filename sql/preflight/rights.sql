-- Purpose: the rights that this role lacks for a load and a switchover of a table, one per
--   line, each with what grants it. Objects that depend on the table and have to be altered may
--   belong to others: their names and owners are passed as parameters. So are the name of the
--   summary beside the table and its columns, and whether it is saved ($6) and recomputed ($7); a
--   table of that name without these columns is only saved. Only membership in the table's owner
--   is suggested: membership in a superuser would grant every right there is, and anybody may have
--   created a view of the table.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH target AS (
    SELECT c.*, c.oid AS relid, n.nspname, n.nspowner
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = $1
),
tree AS (
    SELECT $1 AS oid
    UNION
    SELECT t.relid FROM pg_catalog.pg_partition_tree($1) AS t
),
me AS (
    SELECT rolsuper, rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user
),
-- What a switchover alters, with its owner, and what may be done about it in the meantime.
altered (what, owner, otherwise) AS (
    SELECT 'table ' || c.oid::regclass, c.relowner, ''
    FROM pg_catalog.pg_class AS c WHERE c.oid IN (SELECT oid FROM tree)
    UNION ALL
    SELECT DISTINCT 'table ' || c.conrelid::regclass || ', which refers to it', r.relowner, ''
    FROM pg_catalog.pg_constraint AS c
    INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.conrelid
    WHERE c.confrelid IN (SELECT oid FROM tree) AND c.conrelid NOT IN (SELECT oid FROM tree)
        AND c.contype = 'f'
    UNION ALL
    SELECT DISTINCT
        'publication ' || quote_ident(p.pubname),
        p.pubowner,
        ', or have its owner take the table out of it before the switchover and add it after it'
    FROM pg_catalog.pg_publication_rel AS r
    INNER JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
    WHERE r.prrelid IN (SELECT oid FROM tree)
    UNION ALL
    SELECT
        d.what,
        d.owner,
        ', or drop it before the switchover and create it again after it'
    FROM unnest($2::text[], $3::oid[]) AS d (what, owner)
),
referred AS (
    SELECT DISTINCT confrelid FROM pg_catalog.pg_constraint
    WHERE conrelid IN (SELECT oid FROM tree) AND contype = 'f'
        AND confrelid NOT IN (SELECT oid FROM tree)
),
summary AS (
    SELECT
        s.oid AS relid,
        $7::boolean AND (
            SELECT count(*) = cardinality($5::text[])
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = s.oid AND a.attname::text = ANY ($5) AND NOT a.attisdropped
        ) AS is_computed
    FROM target AS t
    INNER JOIN pg_catalog.pg_class AS s
        ON s.relnamespace = t.relnamespace AND s.relname = $4 AND s.relkind IN ('r', 'p')
    WHERE $6::boolean OR $7
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
    UNION
    SELECT a.grantor
    FROM target AS t
    INNER JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i'
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.relid
    INNER JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    CROSS JOIN LATERAL pg_catalog.aclexplode(s.relacl) AS a
    WHERE a.grantor <> t.relowner
)
SELECT format(
    CASE
        WHEN a.owner = t.relowner AND NOT o.rolsuper THEN 'ownership of %1$s: GRANT %2$I TO %3$I'
        ELSE 'ownership of %1$s, which belongs to %2$I: run sterna as a superuser%4$s'
    END,
    a.what, o.rolname, current_user, a.otherwise
)
FROM altered AS a
INNER JOIN pg_catalog.pg_roles AS o ON o.oid = a.owner
CROSS JOIN target AS t
WHERE NOT pg_catalog.pg_has_role(a.owner, 'USAGE')
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
SELECT format(
    'TEMPORARY on the database, for matching rows: GRANT TEMPORARY ON DATABASE %I TO %I',
    current_database(), current_user
)
WHERE NOT pg_catalog.has_database_privilege(current_database(), 'TEMPORARY')
UNION ALL
SELECT format('%s on %s: GRANT %1$s ON %2$s TO %I', right_name, confrelid::regclass, current_user)
FROM referred, LATERAL (VALUES ('SELECT'), ('REFERENCES')) AS needed (right_name)
WHERE NOT pg_catalog.has_table_privilege(confrelid, right_name)
UNION ALL
SELECT format('%s on %s: GRANT %1$s ON %2$s TO %I', right_name, relid::regclass, current_user)
FROM summary, LATERAL (
    VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')
) AS needed (right_name)
WHERE (is_computed OR right_name = 'SELECT')
    AND NOT pg_catalog.has_table_privilege(relid, right_name)
UNION ALL
SELECT format('TRIGGER on %s: GRANT TRIGGER ON %1$s TO %I', oid::regclass, current_user)
FROM tree WHERE NOT pg_catalog.has_table_privilege(oid, 'TRIGGER')
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
WHERE c.oid IN (
        SELECT oid FROM tree
        UNION ALL SELECT confrelid FROM referred UNION ALL SELECT relid FROM summary
    )
    AND c.relrowsecurity
    AND NOT (me.rolsuper OR me.rolbypassrls)
    AND (c.relforcerowsecurity OR NOT pg_catalog.pg_has_role(c.relowner, 'USAGE'))
ORDER BY 1
