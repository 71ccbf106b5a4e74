-- Purpose: the batches of a load in the order in which they were begun: the connection,
--   seconds from the first one to where the batch begins and where the connection's next
--   one does, and its rows. The last one of each is taken to last as long as its others.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
WITH batch AS (
    SELECT
        backend,
        row_count,
        extract(epoch FROM at - min(at) OVER ())::float8 AS began,
        extract(epoch FROM lead(at) OVER connection - at)::float8 AS lasted,
        extract(epoch FROM max(at) OVER all_of_it - min(at) OVER all_of_it)::float8
            / greatest(count(*) OVER all_of_it - 1, 1) AS on_average
    FROM sterna.load_batch
    WHERE run_id = $1
    WINDOW
        connection AS (PARTITION BY backend ORDER BY at),
        all_of_it AS (PARTITION BY backend)
)
SELECT backend, began, began + coalesce(lasted, on_average), row_count
FROM batch
ORDER BY began, backend
