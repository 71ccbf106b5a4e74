-- Purpose: those of the tables $1 that are partitioned by a hash of an enum: it is one of OIDs,
--   which a restore changes, so that a row may then belong to another partition.
-- Lock: none. Transaction: yes, on the backup's snapshot. Undone by: nothing, it only reads.
SELECT p.partrelid::regclass::text
FROM pg_catalog.pg_partitioned_table AS p
WHERE p.partrelid = ANY($1::oid[])
    AND p.partstrat = 'h'
    AND EXISTS (
        SELECT
        FROM pg_catalog.pg_opclass AS o
        WHERE o.oid = ANY(p.partclass::oid[]) AND o.opcintype = 'pg_catalog.anyenum'::regtype
    )
ORDER BY 1
