-- Purpose: rows of the summary that are not to the letter what was kept, which a
--   trigger can bring about, and how many are.
-- Lock: ACCESS SHARE on the summary. Transaction: yes, behind summary/restore.sql.
-- Undone by: nothing, it reads.
SELECT
    count(*) FILTER (WHERE b.summary::text IS DISTINCT FROM row_to_json(s)::text),
    count(*) FILTER (WHERE b.summary::text = row_to_json(s)::text)
FROM {summary} AS s
LEFT JOIN sterna.summary_before AS b ON b.run_id = $1 AND b.species_id = s.species_id::text
