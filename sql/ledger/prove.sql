-- Purpose: records what a proof has found equal, for the loads $1.
-- Lock: their rows. Transaction: either. Undone by: the next proof.
UPDATE sterna.load_run SET proved = $2 WHERE run_id = ANY ($1)
