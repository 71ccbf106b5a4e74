-- Purpose: the version of the ledger: a row for each that it was created in or upgraded
--   to. The ledger of 0.1.0 has no such table, and is version 1.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE.

CREATE TABLE sterna.ledger (
    version integer PRIMARY KEY,
    -- The sterna that wrote it.
    program text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
