-- Purpose: the version of the ledger: one row for each version that it was created in or
--   upgraded to. The ledger of 0.1.0 has no such table and counts as version 1.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE.

CREATE TABLE sterna.ledger (
    version integer PRIMARY KEY,
    -- The version of sterna that wrote the row.
    program text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
