-- Purpose: what every switchover exchanged, written by the transaction that exchanged it: if
--   the reply to its COMMIT was lost, this shows whether it committed.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no old table is left.

CREATE TABLE sterna.switchover (
    switchover_id uuid PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    -- The table that was replaced and the one that replaced it.
    old_relid oid NOT NULL,
    new_relid oid NOT NULL,
    -- switched: the new table is live, the old one kept. returned: rolled back. cleaned: the
    -- old table was dropped.
    state text NOT NULL CHECK (state IN ('switched', 'returned', 'cleaned')),
    -- The table's fingerprint before the switchover, and known differences since.
    fingerprint jsonb NOT NULL,
    exceptions jsonb NOT NULL,
    row_count bigint NOT NULL,
    -- Writes carried over, from the first on: to the new table, and back.
    replayed bigint NOT NULL,
    carried_back bigint,
    -- Statements that follow the exchange, such as validating foreign keys; empty once they
    -- have run.
    to_validate text[] NOT NULL,
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    switched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    returned_at timestamptz,
    cleaned_at timestamptz,
    -- The run that requested the switchover; only that run rolls it back.
    run_id uuid NOT NULL,
    -- The table with the writes that the rollback left behind.
    left_relid oid
);
CREATE INDEX switchover_table ON sterna.switchover (schema_name, table_name, switched_at);
