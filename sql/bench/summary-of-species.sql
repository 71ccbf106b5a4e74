-- Purpose: the summary of a species next to the current figures of the trade table.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: summary-of-species
-- meaning: stored summary of a species and its latest records
-- budget_ms: 250
-- parameters: species_id
SELECT
    s.scientific_name,
    m.total_trade_records,
    m.overall_max_year,
    t.records,
    t.latest_year
FROM {species} AS s
LEFT JOIN {species_trade_summary} AS m ON m.species_id = s.id
CROSS JOIN LATERAL (
    SELECT count(*) AS records, max(year) AS latest_year
    FROM {trade}
    WHERE species_id = s.id
) AS t
WHERE s.id = $1
