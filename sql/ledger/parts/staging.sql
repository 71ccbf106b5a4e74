-- Purpose: which tables are sterna's own.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no staging table is left.

-- Staging tables that sterna made and old tables that it keeps, with the partitions below them;
-- it touches no others.
CREATE TABLE sterna.staging (
    relid oid PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The fingerprint of production when staging was made.
    fingerprint jsonb,
    -- What production held when the first load began: shows whether it was written to since,
    -- even if writes were not recorded.
    baseline_snapshot pg_snapshot,
    baseline_rows bigint,
    -- The table that it was made or kept with: itself, or the partitioned table above it.
    of oid NOT NULL
);
