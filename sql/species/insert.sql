-- Purpose: adds a species; columns that are not given get their defaults.
-- Lock: ROW EXCLUSIVE on species. Transaction: yes, with its row in the ledger.
-- Undone by: species/delete.sql.
INSERT INTO {species} ({columns})
SELECT {columns} FROM jsonb_populate_record(NULL::{species}, $1)
RETURNING id
