-- Purpose: records what became of a file's records. Lock: none. Transaction: yes.
-- Undone by: nothing needs to.
UPDATE sterna.load_file SET account = $3 WHERE run_id = $1 AND file_number = $2
