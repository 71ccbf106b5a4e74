-- Purpose: columns that have another type in the incoming table, with their type and modifier
--   in the live one; and columns that one of the tables lacks.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    coalesce(l.attname, i.attname)::text,
    l.atttypid,
    l.atttypmod,
    pg_catalog.format_type(l.atttypid, l.atttypmod),
    pg_catalog.format_type(i.atttypid, i.atttypmod)
FROM (SELECT * FROM pg_catalog.pg_attribute
      WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped) AS l
FULL JOIN (SELECT * FROM pg_catalog.pg_attribute
           WHERE attrelid = $2 AND attnum > 0 AND NOT attisdropped) AS i USING (attname)
WHERE l.attname IS NULL OR i.attname IS NULL
    OR l.atttypid <> i.atttypid OR l.atttypmod <> i.atttypmod
ORDER BY 1
