-- Purpose: the ledger's version, and the sterna that wrote it.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT version, program FROM sterna.ledger ORDER BY version DESC LIMIT 1
