-- Purpose: which tables are sterna's own.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no staging table is left.

-- Staging tables that sterna made; any other table is not touched.
CREATE TABLE sterna.staging (
    relid oid PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
