-- Purpose: the progress of the load that is writing to a staging table: rows and bytes of its
--   committed batches, how long it has been running, and how many of its files have been begun.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    coalesce(sum(b.row_count), 0)::bigint,
    coalesce(sum(b.byte_length), 0)::bigint,
    extract(epoch FROM clock_timestamp() - r.started_at)::double precision,
    count(DISTINCT b.file_number),
    (SELECT count(*) FROM sterna.load_file AS f WHERE f.run_id = r.run_id)
FROM sterna.load_run AS r
LEFT JOIN sterna.load_batch AS b USING (run_id)
WHERE r.state = 'loading' AND r.staging = (
    SELECT c.oid
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2
)
GROUP BY r.run_id, r.started_at
ORDER BY r.started_at DESC
LIMIT 1
