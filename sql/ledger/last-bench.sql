-- Purpose: the newest query benchmark of a staging table.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT report
FROM sterna.bench
WHERE staging = $1
ORDER BY bench_id DESC
LIMIT 1
