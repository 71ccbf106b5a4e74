-- Purpose: fails if anything still depends on the outgoing table.
-- Lock: those of the exchange keep the answer true. Transaction: yes.
-- Undone by: nothing, it only reads.
SELECT sterna.refuse('SN016', string_agg(d.what, ', ') || ' still depends on the old table', NULL)
FROM ({find}) AS d (kind, classid, objid, relid, what, is_changed)
HAVING count(*) > 0
