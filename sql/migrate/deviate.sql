-- Purpose: notes that a run did not go by the plan, once. Lock: its row.
-- Transaction: either. Undone by: nothing, it is a record.
UPDATE sterna.migration
SET deviations = deviations || to_jsonb($2::text)
WHERE run_id = $1 AND NOT deviations @> to_jsonb($2::text)
