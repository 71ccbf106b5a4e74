-- Purpose: what the server has counted in this database since a switchover, and before it; no
--   row if its counters were reset since.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    d.deadlocks - a.deadlocks,
    d.sessions_fatal + d.sessions_killed - a.sessions_failed,
    d.xact_rollback - a.rollbacks,
    d.xact_commit - a.commits,
    a.rollbacks,
    a.commits
FROM sterna.switchover_activity AS a
INNER JOIN pg_catalog.pg_stat_database AS d ON d.datname = current_database()
WHERE a.switchover_id = $1
    AND a.stats_reset IS NOT DISTINCT FROM d.stats_reset
    AND d.xact_commit >= a.commits
