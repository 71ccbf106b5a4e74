-- Purpose: records a switchover in the transaction that makes it, and what the server has
--   counted in this database until then. $7 is how many rows the incoming table had before
--   anything was carried over to it.
-- Lock: none. Transaction: yes, the switchover's. Undone by: its rollback.
WITH carried AS (
    SELECT
        coalesce(sum(c.entries), 0)::bigint AS entries,
        coalesce(sum(c.added - c.removed), 0)::bigint AS came
    FROM sterna.carrying AS c
    WHERE c.relid = $4 AND c.toward = 'staging'
),
recorded AS (
    INSERT INTO sterna.switchover
        (switchover_id, run_id, schema_name, table_name, old_relid, new_relid, state, fingerprint,
         exceptions, row_count, replayed, to_validate, version)
    SELECT $1, $10, $2, $3, $4, $5, 'switched', $6, '[]', $7 + c.came, c.entries, $8, $9
    FROM carried AS c
    RETURNING switchover_id, row_count, replayed
),
activity AS (
    INSERT INTO sterna.switchover_activity
        (switchover_id, commits, rollbacks, deadlocks, sessions_failed, stats_reset)
    SELECT
        r.switchover_id, d.xact_commit, d.xact_rollback, d.deadlocks,
        d.sessions_fatal + d.sessions_killed, d.stats_reset
    FROM recorded AS r
    INNER JOIN pg_catalog.pg_stat_database AS d ON d.datname = current_database()
)
SELECT row_count, replayed FROM recorded
