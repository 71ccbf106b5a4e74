-- Purpose: compares the summary with its source tables: the number of species, those without a
--   row, and those whose count, quantity, years or number of yearly entries differ from their
--   records; then records and quantity of table and summary.
-- Lock: ACCESS SHARE on all three. Transaction: yes, that of the recomputation.
-- Undone by: nothing, it only reads.
WITH trade AS (
    SELECT
        species_id,
        sum(records)::bigint AS records,
        coalesce(sum(quantity), 0)::numeric AS quantity,
        min(year) AS first_year,
        max(year) AS last_year,
        count(*) AS years
    FROM (
        SELECT
            species_id, year, count(*) AS records, sum(coalesce({quantity}, {fallback})) AS quantity
        FROM {trade}
        GROUP BY species_id, year
    ) AS yearly
    GROUP BY species_id
)
SELECT
    (SELECT count(*) FROM {species}),
    (SELECT count(*) FROM {species} AS s
        WHERE NOT EXISTS (SELECT FROM {summary} AS y WHERE y.species_id = s.id)),
    (SELECT count(*) FROM {summary} AS y LEFT JOIN trade AS t ON t.species_id = y.species_id
        WHERE (y.total_trade_records, y.overall_total_quantity, y.overall_min_year,
               y.overall_max_year, jsonb_array_length(y.annual_summaries::jsonb))
            IS DISTINCT FROM (coalesce(t.records, 0), coalesce(t.quantity, 0), t.first_year,
               t.last_year, coalesce(t.years, 0))),
    (SELECT coalesce(sum(records), 0)::bigint FROM trade),
    (SELECT coalesce(sum(total_trade_records), 0)::bigint FROM {summary}),
    (SELECT trim_scale(coalesce(sum(quantity), 0))::text FROM trade),
    (SELECT trim_scale(coalesce(sum(overall_total_quantity), 0))::text FROM {summary})
