-- Purpose: records how many rows a journaled table had when its journal began: those that one
--   snapshot shows, minus the inserts and plus the deletes that the same snapshot shows in the
--   journal. So nobody has to wait for the count.
-- Lock: ACCESS SHARE on the table. Transaction: either, a single statement.
-- Undone by: journal/forget.sql.
UPDATE sterna.journaled
SET row_count =
    (SELECT count(*) FROM {table})
    - (
        SELECT coalesce(sum(CASE operation WHEN 'I' THEN 1 WHEN 'D' THEN -1 ELSE 0 END), 0)
        FROM {journal}
    )
WHERE relid = $1 AND row_count IS NULL
