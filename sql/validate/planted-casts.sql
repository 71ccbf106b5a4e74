-- Purpose: casts that a value of these tables' columns can go through and whose function
--   belongs neither to a superuser nor to the connected role: to compare a value, or to
--   show it, would run it. The types of elements, domains and composites count as well.
-- Lock: none, it reads the catalog. Transaction: either. Undone by: nothing, it reads.
WITH RECURSIVE types AS (
    SELECT a.atttypid AS oid
    FROM pg_catalog.pg_attribute AS a
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN unnest($1::text[], $2::text[]) AS t (schema_name, table_name)
        ON t.schema_name = n.nspname AND t.table_name = c.relname
    WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT part.oid
    FROM types AS y
    INNER JOIN pg_catalog.pg_type AS p ON p.oid = y.oid
    CROSS JOIN LATERAL (
        SELECT p.typelem
        UNION ALL
        SELECT p.typbasetype
        UNION ALL
        SELECT a.atttypid
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = p.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS part (oid)
    WHERE part.oid <> 0
)
SELECT format('the cast from %s to %s by %s of %I', k.castsource::regtype, k.casttarget::regtype,
    f.oid::regprocedure, o.rolname)
FROM types AS y
INNER JOIN pg_catalog.pg_cast AS k ON k.castsource = y.oid AND k.castfunc <> 0
INNER JOIN pg_catalog.pg_proc AS f ON f.oid = k.castfunc
INNER JOIN pg_catalog.pg_roles AS o ON o.oid = f.proowner
WHERE NOT (o.rolsuper OR o.rolname = current_user)
ORDER BY 1
