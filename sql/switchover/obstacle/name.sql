-- Purpose: a table's name as the catalog's descriptions have it. Lock: none.
-- Transaction: either. Undone by: nothing, it reads.
SELECT i.identity
FROM pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, $1::oid, 0) AS i
