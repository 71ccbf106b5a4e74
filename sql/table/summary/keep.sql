-- Purpose: keeps the rows as they are, whatever columns they have.
-- Lock: ACCESS SHARE on the summary. Transaction: yes, that of the recomputation.
-- Undone by: table/summary/settle-undo.sql.
INSERT INTO sterna.summary_before (run_id, species_id, summary)
SELECT $1, s.species_id::text, row_to_json(s) FROM {summary} AS s
