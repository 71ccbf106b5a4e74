-- Purpose: how long each step last took on the table of schema $1 and name $2, its rows, and the
--   report if it was a load. A resumed step is left out: it did only a part.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT DISTINCT ON (s.step)
    s.step,
    s.row_count,
    s.seconds,
    to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
    CASE WHEN s.detail ? 'round_trip_ms' THEN s.detail END
FROM sterna.step AS s
INNER JOIN sterna.migration AS m USING (run_id)
WHERE m.schema_name = $1 AND m.table_name = $2
    AND s.state IN ('done', 'undoing', 'undone') AND s.seconds IS NOT NULL
    AND coalesce(s.detail ->> 'resumed', 'false') = 'false'
ORDER BY s.step, s.started_at DESC
