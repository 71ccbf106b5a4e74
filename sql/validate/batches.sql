-- Purpose: where in the files the rows of a transaction come from. Rows that were matched with
--   production's are left out: one transaction wrote them all again.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT b.xid::xid::text, f.path, b.first_line
FROM sterna.load_batch AS b
INNER JOIN sterna.load_run AS r USING (run_id)
INNER JOIN sterna.load_file AS f USING (run_id, file_number)
WHERE r.staging = $1 AND r.state <> 'discarded' AND r.matched IS NULL
