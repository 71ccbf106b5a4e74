-- Purpose: what the catalog said of production when staging was made from it.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT fingerprint FROM sterna.staging WHERE relid = $1 AND fingerprint IS NOT NULL
