-- Purpose: statements that give staging the storage parameters and tablespaces of production
--   and its TOAST table, if they differ.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH parameters AS (
    SELECT c.oid, '' AS prefix, unnest(c.reloptions) AS setting
    FROM pg_catalog.pg_class AS c WHERE c.oid IN ($1, $2)
    UNION ALL
    SELECT c.oid, 'toast.', unnest(t.reloptions)
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
    WHERE c.oid IN ($1, $2)
)
SELECT statement FROM (
    SELECT 1 AS position, format('ALTER TABLE %s SET (%s%s)', $2::oid::regclass, prefix, setting) AS statement
    FROM (
        SELECT prefix, setting FROM parameters WHERE oid = $1
        EXCEPT
        SELECT prefix, setting FROM parameters WHERE oid = $2
    ) AS missing
    UNION ALL
    SELECT 0, format('ALTER TABLE %s RESET (%s%s)', $2::oid::regclass, prefix, split_part(setting, '=', 1))
    FROM (
        SELECT prefix, setting FROM parameters WHERE oid = $2
        EXCEPT
        SELECT prefix, setting FROM parameters WHERE oid = $1
    ) AS extra
    UNION ALL
    SELECT 2, format('ALTER TABLE %s SET TABLESPACE %I', $2::oid::regclass, coalesce(t.spcname, d.spcname))
    FROM pg_catalog.pg_class AS p
    INNER JOIN pg_catalog.pg_class AS s ON s.oid = $2
    LEFT JOIN pg_catalog.pg_tablespace AS t ON t.oid = p.reltablespace
    CROSS JOIN (
        SELECT x.spcname
        FROM pg_catalog.pg_database AS b
        INNER JOIN pg_catalog.pg_tablespace AS x ON x.oid = b.dattablespace
        WHERE b.datname = current_database()
    ) AS d
    WHERE p.oid = $1 AND p.reltablespace <> s.reltablespace
) AS statements
ORDER BY position, statement
