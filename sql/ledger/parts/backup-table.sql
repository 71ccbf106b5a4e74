-- Purpose: the backup tables that sterna made; it touches no others.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no backup table is left.

CREATE TABLE sterna.backup_table (
    relid oid PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    -- The table it is a copy of.
    source oid NOT NULL,
    row_count bigint NOT NULL,
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
