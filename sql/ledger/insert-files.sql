-- Purpose: records the files of a load, numbered in order from $2.
-- Lock: none. Transaction: yes, that of the run. Undone by: not needed.
INSERT INTO sterna.load_file (run_id, file_number, path, sha256)
SELECT $1, $2::integer + f.number - 1, f.path, f.sha256
FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS f (path, sha256, number)
