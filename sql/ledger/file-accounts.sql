-- Purpose: records what became of each file's records, in file order from number $2.
-- Lock: none. Transaction: yes. Undone by: not needed.
UPDATE sterna.load_file AS f SET account = a.account
FROM unnest($3::jsonb[]) WITH ORDINALITY AS a (account, number)
WHERE f.run_id = $1 AND f.file_number = $2::integer + a.number - 1
