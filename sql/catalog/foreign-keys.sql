-- Purpose: the outgoing foreign keys of a table. With an empty search_path every name in the
--   definitions is qualified. A key that refers to its own table is made to refer to {staging}.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    conname::text,
    CASE WHEN confrelid = conrelid THEN
        -- Rows of a copy refer to the copy.
        replace(def.text, ') REFERENCES ' || conrelid::regclass || '(', ') REFERENCES {staging}(')
    ELSE def.text END,
    convalidated,
    confrelid = conrelid
FROM pg_catalog.pg_constraint AS c
CROSS JOIN LATERAL (
    SELECT regexp_replace(pg_catalog.pg_get_constraintdef(oid), ' NOT VALID$', '') AS text
) AS def
WHERE conrelid = $1 AND contype = 'f'
    -- A partition's key may have a parent, which the partitioned table has.
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS p
        WHERE p.oid = c.conparentid AND p.conrelid = c.conrelid
    )
ORDER BY conname
