-- Purpose: what every switchover exchanged, written by the very transaction that
--   exchanged it: whether it happened is read here when its answer was lost.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no old table is left.

CREATE TABLE sterna.switchover (
    switchover_id uuid PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    -- The table that was replaced and the one that replaced it.
    old_relid oid NOT NULL,
    new_relid oid NOT NULL,
    -- switched: the new table is live, the old one kept. returned: rolled back.
    -- cleaned: the old table is gone.
    state text NOT NULL CHECK (state IN ('switched', 'returned', 'cleaned')),
    -- The catalog's account of the table before, and what is known to differ since.
    fingerprint jsonb NOT NULL,
    exceptions jsonb NOT NULL,
    row_count bigint NOT NULL,
    -- Writes that were carried over, from the first on: to the new table, and back.
    replayed bigint NOT NULL,
    carried_back bigint,
    -- Statements that check foreign keys of other tables; none once they are checked.
    to_validate text[] NOT NULL,
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    switched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    returned_at timestamptz,
    cleaned_at timestamptz,
    -- The run that asked for it, which alone takes it back.
    run_id uuid NOT NULL,
    -- The table that has what its rollback has left behind.
    left_relid oid
);
CREATE INDEX switchover_table ON sterna.switchover (schema_name, table_name, switched_at);
