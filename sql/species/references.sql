-- Purpose: for each table that refers to species by a foreign key, the statement that counts
--   its rows that refer to a given one. A staging table counts like the table it will replace,
--   even before its foreign keys are built.
-- Lock: none. Transaction: yes, after species/hold.sql. Undone by: nothing, it only reads.
WITH referring AS (
    SELECT
        con.conrelid,
        con.confrelid,
        (
            SELECT string_agg(
                pg_catalog.format('r.%I = s.%I', here.attname, there.attname), ' AND '
            )
            FROM unnest(con.conkey, con.confkey) AS pair (referring, referred)
            INNER JOIN pg_catalog.pg_attribute AS here
                ON here.attrelid = con.conrelid AND here.attnum = pair.referring
            INNER JOIN pg_catalog.pg_attribute AS there
                ON there.attrelid = con.confrelid AND there.attnum = pair.referred
        ) AS condition
    FROM pg_catalog.pg_constraint AS con
    WHERE con.confrelid = $1 AND con.contype = 'f' AND con.conparentid = 0
),
place AS (
    SELECT conrelid AS relid, confrelid, condition FROM referring
    UNION
    SELECT staging.oid, referring.confrelid, referring.condition
    FROM referring
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = referring.conrelid
    INNER JOIN pg_catalog.pg_class AS staging
        ON staging.relnamespace = c.relnamespace AND staging.relname = c.relname || $2
        AND staging.relkind IN ('r', 'p')
)
SELECT
    pg_catalog.format('%I.%I', n.nspname, c.relname),
    pg_catalog.format(
        'SELECT count(*) FROM %I.%I AS r INNER JOIN %I.%I AS s ON %s WHERE s.id::text = $1',
        n.nspname, c.relname, sn.nspname, sc.relname, place.condition
    )
FROM place
INNER JOIN pg_catalog.pg_class AS c ON c.oid = place.relid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_class AS sc ON sc.oid = place.confrelid
INNER JOIN pg_catalog.pg_namespace AS sn ON sn.oid = sc.relnamespace
ORDER BY 1
