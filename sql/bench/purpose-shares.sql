-- Purpose: what a species is traded for.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: purpose-shares
-- meaning: share of each purpose in the records of a species
-- budget_ms: 250
-- parameters: species_id
SELECT
    coalesce(nullif(purpose, ''), 'unknown') AS purpose_code,
    count(*) AS records,
    count(*) / sum(count(*)) OVER () AS share
FROM {trade}
WHERE species_id = $1
GROUP BY purpose_code
ORDER BY records DESC, purpose_code
