-- Purpose: how Citus distributes a table ($1): the method, whether it is a reference table, and
--   the column that it is distributed by. No row for a table that Citus does not know.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    p.partmethod,
    p.repmodel = 't',
    CASE WHEN p.partkey IS NOT NULL
        THEN pg_catalog.column_to_column_name(p.logicalrelid, p.partkey) END
FROM pg_catalog.pg_dist_partition AS p
WHERE p.logicalrelid = $1::oid
