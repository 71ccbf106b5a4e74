-- Purpose: the fingerprint of production when staging was created from it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT fingerprint FROM sterna.staging WHERE relid = $1 AND fingerprint IS NOT NULL
