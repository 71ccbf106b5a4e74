-- Purpose: deletes the rows of the incoming table that a foreign key would have deleted with the
--   rows that they refer to, and counts them in the ledger as removed from it.
-- Lock: these rows, and a row of the ledger. Transaction: a single statement. Undone by: loading
--   again.
WITH settled AS ({settle} RETURNING 1),
deleted AS (SELECT count(*) AS row_count FROM settled),
counted AS (
    UPDATE sterna.carrying AS c
    SET removed = c.removed + d.row_count
    FROM deleted AS d
    WHERE c.relid = $1 AND c.toward = $2 AND d.row_count > 0
)
SELECT d.row_count FROM deleted AS d
