-- Purpose: starts carrying writes over in one direction, including those of transactions that
--   have not committed yet.
-- Lock: none. Transaction: either. Undone by: journal/stop-carrying.sql.
INSERT INTO sterna.carrying (relid, toward) VALUES ($1, $2)
ON CONFLICT (relid, toward) DO NOTHING
