-- Purpose: records, once, that a run deviated from the plan.
-- Lock: its row. Transaction: either. Undone by: nothing, it is a record.
UPDATE sterna.migration
SET deviations = deviations || to_jsonb($2::text)
WHERE run_id = $1 AND NOT deviations @> to_jsonb($2::text)
