-- Name: trade-routes
-- Purpose: the trade routes of a species, busiest first.
-- Needs: {schema}.trade_routes, {schema}.species, {table}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, read only, as the application.
-- Undone by: nothing, it only reads.
SELECT r.exporter, r.importer, sum(r.records) AS records
FROM {schema}.trade_routes AS r
WHERE r.scientific_name = (
    SELECT s.scientific_name
    FROM {schema}.species AS s
    INNER JOIN {table} AS t ON t.species_id = s.id
    LIMIT 1
)
GROUP BY r.exporter, r.importer
ORDER BY records DESC
LIMIT 20
