-- Purpose: the journal of writes to a table that is about to be replaced, or that has replaced
--   another: which rows were written to, and how their current state is carried over to the
--   other table.
-- Lock: none, everything is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no table is journaled.

-- The tables whose writes are recorded, each in a table of its own that sterna.make_journal()
-- creates.
CREATE TABLE sterna.journaled (
    relid oid PRIMARY KEY,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Number of rows when the journal began, once they were counted.
    row_count bigint
);

-- What is carried over from a journaled table: to staging, which will take its place, or to the
-- old table, whose place it has taken. Journal entries visible in `since` are from before the
-- start; those visible in `applied` have been carried over already. Entries are kept, because
-- staging may still be emptied and filled again.
CREATE TABLE sterna.carrying (
    relid oid NOT NULL REFERENCES sterna.journaled ON DELETE CASCADE,
    toward text NOT NULL CHECK (toward IN ('staging', 'old')),
    since pg_snapshot NOT NULL DEFAULT pg_current_snapshot(),
    applied pg_snapshot NOT NULL DEFAULT pg_current_snapshot(),
    -- Writes carried over, and the rows that this added to and removed from the other table.
    entries bigint NOT NULL DEFAULT 0,
    added bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    -- When writes were last carried over.
    carried_at timestamptz,
    -- Which writes are carried over; the others are saved in a separate table.
    keep text NOT NULL DEFAULT 'all' CHECK (keep IN ('all', 'inserted', 'none')),
    PRIMARY KEY (relid, toward)
);
