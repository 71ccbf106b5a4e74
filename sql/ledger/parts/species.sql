-- Purpose: species and synonyms that sterna added, so that undoing removes only those.
-- Lock: none, everything is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when nothing is to be undone.

CREATE TABLE sterna.species_added (
    run_id uuid PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    species_id text NOT NULL,
    scientific_name text NOT NULL,
    given jsonb NOT NULL,
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    undone_at timestamptz
);

-- Names that files use for a species with another name; loads use them.
CREATE TABLE sterna.synonym (
    run_id uuid PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    synonym text NOT NULL,
    scientific_name text NOT NULL,
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (schema_name, table_name, synonym)
);
