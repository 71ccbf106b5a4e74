-- Purpose: the batches of a load in the order in which they began: the connection, the seconds
--   from the first batch to the start of this one and of the connection's next one, and the
--   rows. The last batch of a connection is assumed to take as long as the average of its
--   others.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH batch AS (
    SELECT
        backend,
        row_count,
        extract(epoch FROM at - min(at) OVER ())::float8 AS began,
        extract(epoch FROM lead(at) OVER (PARTITION BY backend ORDER BY at) - at)::float8 AS lasted
    FROM sterna.load_batch
    WHERE run_id = $1
)
SELECT
    backend,
    began,
    began + coalesce(
        lasted, avg(lasted) OVER (PARTITION BY backend), avg(lasted) OVER (), 0
    ),
    row_count
FROM batch
ORDER BY began, backend
