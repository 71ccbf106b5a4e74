-- Purpose: which of the tables next to the live one belong to a run, so that rolling it back
--   touches no others: whether staging was created since the run began; whether its rows come
--   from the run's loads alone; whether the backup table was created since.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    EXISTS (
        SELECT FROM sterna.staging AS t
        WHERE t.schema_name = $2 AND t.table_name = $3 AND t.created_at >= m.started_at
    ),
    coalesce((
        SELECT bool_and(
            l.started_at >= m.started_at
            -- Begun earlier, and resumed by a step.
            OR EXISTS (
                SELECT FROM sterna.step AS s
                WHERE s.run_id = m.run_id AND s.detail ->> 'run_id' = l.run_id::text
            )
        )
        FROM sterna.load_run AS l
        INNER JOIN sterna.staging AS t ON t.relid = l.staging
        WHERE t.schema_name = $2 AND t.table_name = $3 AND l.state <> 'discarded'
    ), false),
    EXISTS (
        SELECT FROM sterna.backup_table AS b
        WHERE b.schema_name = $2 AND b.table_name = $4 AND b.created_at >= m.started_at
    )
FROM sterna.migration AS m
WHERE m.run_id = $1
