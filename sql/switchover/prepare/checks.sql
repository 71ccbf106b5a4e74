-- Purpose: statements that make the check and NOT NULL constraints of staging NOT VALID if
--   production has not validated them. Staging got them as valid ones with its structure, and
--   must not promise more than production.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT statement
FROM pg_catalog.pg_constraint AS p
INNER JOIN pg_catalog.pg_constraint AS s
    ON s.conrelid = $2 AND s.conname = p.conname AND s.contype = p.contype
CROSS JOIN LATERAL (
    VALUES
    (1, format('ALTER TABLE %s DROP CONSTRAINT %I', $2::oid::regclass, p.conname)),
    (2, format('ALTER TABLE %s ADD CONSTRAINT %I %s', $2::oid::regclass, p.conname,
        pg_catalog.pg_get_constraintdef(p.oid)))
) AS statements (position, statement)
WHERE p.conrelid = $1 AND p.contype IN ('c', 'n') AND NOT p.convalidated AND s.convalidated
    -- Those of the partitioned table are altered with it.
    AND s.coninhcount = 0
ORDER BY p.conname, position
