-- Purpose: the results of validations, and which rows they checked.
-- Lock: none, everything is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no load is to be resumed.

CREATE TABLE sterna.validation (
    id uuid PRIMARY KEY,
    -- The staging table at that time; NULL if the live table was checked and there was none.
    staging oid,
    -- The table that was checked.
    checked oid NOT NULL,
    table_name text NOT NULL,
    passed boolean NOT NULL,
    comprehensive boolean NOT NULL,
    report jsonb NOT NULL,
    -- The rows that were checked: the loads that wrote them, and their number.
    identity jsonb NOT NULL,
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    validated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX validation_checked ON sterna.validation (checked, validated_at);
