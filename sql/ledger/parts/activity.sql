-- Purpose: the server's counters for this database when tables were exchanged, to tell later
--   failures from earlier ones.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE.

CREATE TABLE sterna.switchover_activity (
    switchover_id uuid PRIMARY KEY REFERENCES sterna.switchover,
    commits bigint NOT NULL,
    rollbacks bigint NOT NULL,
    deadlocks bigint NOT NULL,
    -- Sessions ended by a fatal server error, and terminated ones.
    sessions_failed bigint NOT NULL,
    stats_reset timestamptz
);
