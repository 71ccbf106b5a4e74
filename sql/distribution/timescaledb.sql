-- Purpose: whether a table ($1) is a hypertable of TimescaleDB: a row if it is.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
FROM _timescaledb_catalog.hypertable AS h
INNER JOIN pg_catalog.pg_namespace AS n ON n.nspname = h.schema_name
INNER JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = h.table_name
WHERE c.oid = $1::oid
