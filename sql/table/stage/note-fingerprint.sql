-- Purpose: notes what the catalog says of production as staging is made from it.
-- Lock: none. Transaction: either. Undone by: table/stage/unregister.sql.
UPDATE sterna.staging SET fingerprint = $2 WHERE relid = $1
