-- Purpose: a table's name in the form of the catalog's descriptions.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT i.identity
FROM pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, $1::oid, 0) AS i
