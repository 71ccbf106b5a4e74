-- Purpose: whether the current recomputation of the summary of schema $1 and name $2 counts rows of the
--   switchover of run $3, which has been rolled back since.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (
    SELECT
    FROM (
        SELECT at
        FROM sterna.summary_run
        WHERE schema_name = $1 AND table_name = $2 AND undone_at IS NULL
        ORDER BY at DESC, run_id
        LIMIT 1
    ) AS last
    INNER JOIN sterna.switchover AS s
        ON s.run_id = $3 AND last.at BETWEEN s.switched_at AND s.returned_at
)
