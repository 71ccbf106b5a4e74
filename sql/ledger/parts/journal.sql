-- Purpose: the journal of writes to a table that is about to be replaced, or that
--   has replaced another: which rows were written to, and how their present state is
--   carried over to the other table.
-- Lock: none, everything is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no table is journaled.

-- The tables whose writes are recorded, each in a table of its own that
-- sterna.make_journal() makes.
CREATE TABLE sterna.journaled (
    relid oid PRIMARY KEY,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Rows when it began, once they were counted.
    row_count bigint
);

-- What is carried over from a journaled table: towards staging, which is to take its
-- place, or towards the old table, whose place it has taken. What a snapshot shows of
-- the journal is before the beginning, or carried over already. Entries are kept, for
-- staging may yet be emptied and filled again.
CREATE TABLE sterna.carrying (
    relid oid NOT NULL REFERENCES sterna.journaled ON DELETE CASCADE,
    toward text NOT NULL CHECK (toward IN ('staging', 'old')),
    since pg_snapshot NOT NULL DEFAULT pg_current_snapshot(),
    applied pg_snapshot NOT NULL DEFAULT pg_current_snapshot(),
    -- Writes carried over, and rows that came and went in the other table by it.
    entries bigint NOT NULL DEFAULT 0,
    added bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    -- When something was carried over for the last time.
    carried_at timestamptz,
    -- Which writes go along; the others are saved in a table beside.
    keep text NOT NULL DEFAULT 'all' CHECK (keep IN ('all', 'inserted', 'none')),
    PRIMARY KEY (relid, toward)
);
