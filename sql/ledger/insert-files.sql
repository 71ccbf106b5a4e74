-- Purpose: records the files of a load, numbered in their order from $2 on. Lock: none.
-- Transaction: yes, that of the run. Undone by: nothing needs to.
INSERT INTO sterna.load_file (run_id, file_number, path, sha256)
SELECT $1, $2::integer + f.number - 1, f.path, f.sha256
FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS f (path, sha256, number)
