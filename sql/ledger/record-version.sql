-- Purpose: records that the ledger now has this version.
-- Lock: none. Transaction: yes, that of its creation or upgrade.
-- Undone by: the end of that transaction, if it fails.
INSERT INTO sterna.ledger (version, program) VALUES ($1, $2)
