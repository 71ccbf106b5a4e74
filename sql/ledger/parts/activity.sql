-- Purpose: what the server had counted in this database when tables were exchanged:
--   what went wrong since then is told from what went wrong before.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE.

CREATE TABLE sterna.switchover_activity (
    switchover_id uuid PRIMARY KEY REFERENCES sterna.switchover,
    commits bigint NOT NULL,
    rollbacks bigint NOT NULL,
    deadlocks bigint NOT NULL,
    -- Sessions that ended by an error of the server's or that were terminated.
    sessions_failed bigint NOT NULL,
    stats_reset timestamptz
);
