-- Purpose: the query benchmarks of a staging table since a run began, oldest first.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT report, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.bench
WHERE report -> 'staging_table' ->> 'table' = $1 AND at >= coalesce(
    (SELECT run.started_at FROM sterna.migration AS run WHERE run.run_id = $2),
    '-infinity'
)
ORDER BY at, bench_id
