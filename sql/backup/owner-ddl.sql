-- Purpose: the statement that gives a restored table its owner.
-- Lock: none. Transaction: yes, on the backup's snapshot. Undone by: nothing, it only reads.
SELECT
    ARRAY[]::text[],
    ARRAY[pg_catalog.format('ALTER TABLE %s OWNER TO %I', c.oid::regclass,
        pg_catalog.pg_get_userbyid(c.relowner))]
FROM pg_catalog.pg_class AS c
WHERE c.oid = $1
