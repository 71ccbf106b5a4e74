-- Purpose: records the files of a load, numbered in their order. Lock: none.
-- Transaction: yes, that of the run. Undone by: nothing needs to.
INSERT INTO sterna.load_file (run_id, file_number, path, sha256)
SELECT $1, f.number - 1, f.path, f.sha256
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS f (path, sha256, number)
