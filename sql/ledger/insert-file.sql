-- Purpose: records a file of a load. Lock: none. Transaction: yes, that of the run.
-- Undone by: nothing needs to.
INSERT INTO sterna.load_file (run_id, file_number, path, sha256) VALUES ($1, $2, $3, $4)
