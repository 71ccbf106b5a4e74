-- Purpose: records what became of each file's records, in the order of the files.
-- Lock: none. Transaction: yes. Undone by: nothing needs to.
UPDATE sterna.load_file AS f SET account = a.account
FROM unnest($2::jsonb[]) WITH ORDINALITY AS a (account, number)
WHERE f.run_id = $1 AND f.file_number = a.number - 1
