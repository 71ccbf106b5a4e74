-- Purpose: the summary per species as it was before sterna recomputed it.
-- Lock: none, everything is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no summary is to be restored.

CREATE TABLE sterna.summary_run (
    run_id uuid PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    rows_before bigint,
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    undone_at timestamptz
);

-- json, not jsonb: it keeps every value literally.
CREATE TABLE sterna.summary_before (
    run_id uuid NOT NULL REFERENCES sterna.summary_run,
    species_id text NOT NULL,
    summary json NOT NULL,
    PRIMARY KEY (run_id, species_id)
);

-- What sterna wrote: later differences are somebody else's writes.
CREATE TABLE sterna.summary_written (
    run_id uuid NOT NULL REFERENCES sterna.summary_run,
    species_id text NOT NULL,
    summary json NOT NULL,
    PRIMARY KEY (run_id, species_id)
);
