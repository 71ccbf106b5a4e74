-- Purpose: for every validated foreign key of production ($1): its name, the table it refers
--   to, and a query that counts the rows of staging ($2) whose reference does not exist and
--   shows one such value. A key that refers to its own table is checked against staging.
-- Lock: none, it only produces text. Transaction: either. Undone by: nothing, it only reads.
SELECT
    k.name,
    k.parent,
    format(
        'SELECT count(*), coalesce(min(concat_ws('', '', %s)), '''') FROM %s AS t '
        'WHERE %s AND NOT EXISTS (SELECT 1 FROM %s AS p WHERE %s)',
        k.shown, k.staging, k.is_set, k.parent, k.is_parent
    )
FROM (
    SELECT
        c.conname::text AS name,
        CASE WHEN c.confrelid = c.conrelid THEN $2 ELSE c.confrelid END::oid::regclass::text
            AS parent,
        $2::oid::regclass::text AS staging,
        string_agg(format('t.%I IS NOT NULL', a.attname), ' AND ') AS is_set,
        string_agg(format('p.%I = t.%I', f.attname, a.attname), ' AND ') AS is_parent,
        string_agg(format('format(''%%s'', t.%I)', a.attname), ', ' ORDER BY k.position) AS shown
    FROM pg_catalog.pg_constraint AS c
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, referred, position)
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.own
    INNER JOIN pg_catalog.pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = k.referred
    WHERE c.conrelid = $1 AND c.contype = 'f' AND c.convalidated
        -- A partition's key may have a parent, which the partitioned table has.
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS p
            WHERE p.oid = c.conparentid AND p.conrelid = c.conrelid
        )
    GROUP BY c.oid, c.conname, c.conrelid, c.confrelid
) AS k
ORDER BY k.name
