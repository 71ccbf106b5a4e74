-- Purpose: the batches of a load in the order in which they were begun: the connection,
--   seconds from the first one to where the batch begins and where the connection's next
--   one does, and its rows. The last one of each is taken to last as long as others.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
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
