-- Purpose: records the outcome of the last attempt at a step, and in its run those deviations
--   from the plan that are not on record there yet; if $9 is not null, also that the run has
--   ended.
-- Lock: their rows. Transaction: either. Undone by: nothing, it is a record.
WITH step AS (
    UPDATE sterna.step
    SET state = $3,
        row_count = $4,
        seconds = $5,
        detail = $6,
        error = $7,
        deviations = $8,
        finished_at = clock_timestamp()
    WHERE run_id = $1 AND step = $2
        AND attempt = (SELECT max(attempt) FROM sterna.step WHERE run_id = $1 AND step = $2)
)
UPDATE sterna.migration AS m
SET deviations = m.deviations || (
        SELECT coalesce(jsonb_agg(d.what), '[]')
        FROM jsonb_array_elements($8) AS d (what)
        WHERE NOT m.deviations @> d.what
    ),
    state = coalesce($9, m.state),
    finished_at = CASE WHEN $9 IS NULL THEN m.finished_at ELSE clock_timestamp() END
WHERE m.run_id = $1 AND ($9 IS NOT NULL OR $8 <> '[]')
