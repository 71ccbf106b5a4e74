-- Purpose: runs of the plan, and each of their steps, recorded before and after it acted.
-- Lock: none, everything is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no run is to be resumed or rolled back.

CREATE TABLE sterna.migration (
    run_id uuid PRIMARY KEY,
    -- migration: the plan. command: one step, run by its own command.
    kind text NOT NULL CHECK (kind IN ('migration', 'command')),
    schema_name text NOT NULL,
    table_name text NOT NULL,
    -- The table that had the name when the run began.
    target oid NOT NULL,
    -- running: a step may be acting. failed: a step did not succeed. stopped: on request.
    state text NOT NULL
        CHECK (state IN ('running', 'finished', 'failed', 'stopped', 'rolled_back')),
    -- The arguments, without secrets.
    arguments jsonb NOT NULL,
    -- What must be unchanged when the run is resumed, by topic.
    identity jsonb NOT NULL,
    deviations jsonb NOT NULL DEFAULT '[]',
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);
CREATE INDEX migration_table ON sterna.migration (schema_name, table_name, started_at);

CREATE TABLE sterna.step (
    run_id uuid NOT NULL REFERENCES sterna.migration,
    step text NOT NULL,
    attempt integer NOT NULL,
    -- started and undoing are recorded before anything is done: a step found in one of these
    -- states was done partly or completely.
    state text NOT NULL CHECK (
        state IN ('started', 'done', 'failed', 'refused', 'skipped', 'undoing', 'undone')
    ),
    row_count bigint,
    seconds double precision,
    detail jsonb NOT NULL DEFAULT 'null',
    error text,
    arguments jsonb NOT NULL,
    deviations jsonb NOT NULL DEFAULT '[]',
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (run_id, step, attempt)
);
