-- Purpose: check constraints that production has not validated. Staging got them
--   as valid ones with its structure; what production promises less, staging must
--   not promise more.
-- Lock: none, it reads the catalog. Transaction: either.
-- Undone by: nothing, it reads.
SELECT statement
FROM pg_catalog.pg_constraint AS p
INNER JOIN pg_catalog.pg_constraint AS s
    ON s.conrelid = $2 AND s.conname = p.conname AND s.contype = 'c'
CROSS JOIN LATERAL (
    VALUES
    (1, format('ALTER TABLE %s DROP CONSTRAINT %I', $2::oid::regclass, p.conname)),
    (2, format('ALTER TABLE %s ADD CONSTRAINT %I %s', $2::oid::regclass, p.conname,
        pg_catalog.pg_get_constraintdef(p.oid)))
) AS statements (position, statement)
WHERE p.conrelid = $1 AND p.contype = 'c' AND NOT p.convalidated AND s.convalidated
ORDER BY p.conname, position
