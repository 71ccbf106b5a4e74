-- Purpose: whether a run of the plan on a table ($1 and $2) is at work or being rolled back, or was
--   killed.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (
    SELECT
    FROM sterna.migration AS m
    WHERE m.schema_name = $1 AND m.table_name = $2 AND m.kind = 'migration'
        AND (
            m.state = 'running'
            OR EXISTS (SELECT FROM sterna.step AS s WHERE s.run_id = m.run_id AND s.state = 'undoing')
        )
)
