-- Purpose: where the specimens of a year come from.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: source-shares
-- meaning: share of each source in the records of a year
-- budget_ms: 150
-- parameters: year
SELECT
    coalesce(nullif(source, ''), 'unknown') AS source_code,
    count(*) AS records,
    count(*) / sum(count(*)) OVER () AS share
FROM {trade}
WHERE year = $1
GROUP BY source_code
ORDER BY records DESC, source_code
