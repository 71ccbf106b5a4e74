-- Purpose: the main exporters of a year; its speed depends on the index on years.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: top-exporters
-- meaning: the ten exporters with most records of a year
-- budget_ms: 150
-- parameters: year
SELECT exporter, count(*) AS records
FROM {trade}
WHERE year = $1 AND exporter <> ''
GROUP BY exporter
ORDER BY records DESC, exporter
LIMIT 10
