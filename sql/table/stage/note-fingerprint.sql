-- Purpose: records the fingerprint of production when staging is created from it.
-- Lock: none. Transaction: either. Undone by: table/stage/unregister.sql.
UPDATE sterna.staging SET fingerprint = $2 WHERE relid = $1
