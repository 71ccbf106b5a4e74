-- Purpose: which tables are sterna's own.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no staging table is left.

-- Staging tables that sterna made; any other table is not touched.
CREATE TABLE sterna.staging (
    relid oid PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- What the catalog said of production when it was made.
    fingerprint jsonb,
    -- What production held when the first load began: whether it was written to since
    -- can be told, even where writes were not recorded.
    baseline_snapshot pg_snapshot,
    baseline_rows bigint
);
