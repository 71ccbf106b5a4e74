-- Purpose: counts rows deleted from the other table with the rows that they referred to.
-- Lock: its row. Transaction: yes, that of the deletion. Undone by: its rollback.
UPDATE sterna.carrying SET removed = removed + $3 WHERE relid = $1 AND toward = $2
