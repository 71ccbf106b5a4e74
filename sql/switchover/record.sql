-- Purpose: records a switchover in the transaction that makes it, and what the server has
--   counted in this database until then.
-- Lock: none. Transaction: yes, the switchover's. Undone by: its rollback.
WITH recorded AS (
    INSERT INTO sterna.switchover
        (switchover_id, run_id, schema_name, table_name, old_relid, new_relid, state, fingerprint,
         exceptions, row_count, replayed, to_validate, version)
    VALUES ($1, $12, $2, $3, $4, $5, 'switched', $6, $7, $8, $9, $10, $11)
    RETURNING switchover_id
)
INSERT INTO sterna.switchover_activity
    (switchover_id, commits, rollbacks, deadlocks, sessions_failed, stats_reset)
SELECT
    r.switchover_id, d.xact_commit, d.xact_rollback, d.deadlocks,
    d.sessions_fatal + d.sessions_killed, d.stats_reset
FROM recorded AS r
INNER JOIN pg_catalog.pg_stat_database AS d ON d.datname = current_database()
