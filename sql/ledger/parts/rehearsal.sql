-- Purpose: rehearsals that passed, so that a migration of production can require one.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE; a migration then requires another rehearsal.

CREATE TABLE sterna.rehearsal (
    rehearsal_id uuid PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    -- Like sterna.migration.identity: the input, and what affects the rows.
    identity jsonb NOT NULL,
    -- SHA-256 of the table's fingerprint, from the catalog.
    fingerprint text NOT NULL,
    version text NOT NULL,
    report jsonb NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX rehearsal_table ON sterna.rehearsal (schema_name, table_name, at);
