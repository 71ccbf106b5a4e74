-- Purpose: records a recomputation. Returns no row if the run began before and was not undone:
--   the rows kept then are the ones to restore.
-- Lock: none. Transaction: yes, that of the recomputation.
-- Undone by: table/summary/settle-undo.sql.
INSERT INTO sterna.summary_run (run_id, schema_name, table_name, version)
VALUES ($1, $2, $3, $4)
ON CONFLICT (run_id) DO UPDATE SET undone_at = NULL, at = clock_timestamp()
    WHERE summary_run.undone_at IS NOT NULL
