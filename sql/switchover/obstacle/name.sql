-- Purpose: the names of a table and the partitions below it, in the form of the catalog's
--   descriptions.
-- Lock: ACCESS SHARE on the partitions. Transaction: either. Undone by: nothing, it only reads.
SELECT i.identity
FROM (
    SELECT $1::oid AS relid UNION SELECT p.relid FROM pg_catalog.pg_partition_tree($1::oid) AS p
) AS t
CROSS JOIN LATERAL
    pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, t.relid, 0) AS i
