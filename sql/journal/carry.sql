-- Purpose: what is written from now on is to be carried over in a direction. Writes that
--   are under way, in transactions that have not committed, are among it.
-- Lock: none. Transaction: either. Undone by: journal/stop-carrying.sql.
INSERT INTO sterna.carrying (relid, toward) VALUES ($1, $2)
ON CONFLICT (relid, toward) DO NOTHING
