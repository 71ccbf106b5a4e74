-- Purpose: removes the rows that the recomputation added.
-- Lock: ROW EXCLUSIVE on the summary. Transaction: yes, with table/summary/restore.sql.
-- Undone by: table/summary/recompute.sql.
DELETE FROM {summary} AS s
WHERE NOT EXISTS (
    SELECT FROM sterna.summary_before AS b
    WHERE b.run_id = $1 AND b.species_id = s.species_id::text
)
