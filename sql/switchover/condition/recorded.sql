-- Purpose: fails if the journal's triggers do not record every write to the table.
-- Lock: those of the exchange keep the answer true. Transaction: yes.
-- Undone by: nothing, it only reads.
SELECT sterna.refuse('SN012', 'the triggers of the journal are switched off', NULL)
WHERE NOT sterna.is_armed($1)
