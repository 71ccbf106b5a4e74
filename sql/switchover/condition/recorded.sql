-- Purpose: every write to the table was recorded until now.
-- Lock: those of the exchange keep the answer true. Transaction: yes.
-- Undone by: nothing, it reads.
SELECT sterna.refuse('SN012', 'the triggers of the journal are switched off', NULL)
WHERE NOT sterna.is_armed($1)
