-- Purpose: whether another run than $3 has recomputed the summary of schema $1 and name $2 while the
--   switchover of that run was live: it counts rows that are gone when that is rolled back. A run
--   that recomputes again keeps the time of its first time in summary_run, so its step counts too.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (
    SELECT
    FROM sterna.switchover AS s
    INNER JOIN sterna.summary_run AS r
        ON r.schema_name = $1 AND r.table_name = $2 AND r.undone_at IS NULL AND r.run_id <> $3
    CROSS JOIN LATERAL (
        SELECT greatest(
            r.at,
            (
                SELECT max(t.started_at + make_interval(secs => coalesce(t.seconds, 0)))
                FROM sterna.step AS t
                WHERE t.run_id = r.run_id AND t.step = '5.1'
            )
        )
    ) AS last (at)
    WHERE s.run_id = $3 AND last.at >= s.switched_at
        AND last.at <= coalesce(s.returned_at, last.at)
)
