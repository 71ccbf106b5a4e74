-- Purpose: the ledger's version, and the version of sterna that wrote it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT version, program FROM sterna.ledger ORDER BY version DESC LIMIT 1
