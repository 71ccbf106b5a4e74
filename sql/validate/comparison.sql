-- Purpose: where a species has another number of rows than in production, in a year
--   or (year NULL) in all of the years that are compared. One pass over each table.
-- Lock: ACCESS SHARE on both. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
WITH counts AS (
    SELECT species_id, year, count(*) AS production, 0 AS checked
    FROM {table}
    WHERE {all_years} OR year = ANY ({years})
    GROUP BY species_id, year
    UNION ALL
    SELECT species_id, year, 0, count(*)
    FROM {checked}
    WHERE {all_years} OR year = ANY ({years})
    GROUP BY species_id, year
), changes AS (
    SELECT species_id, year, sum(production)::bigint AS production, sum(checked)::bigint AS checked
    FROM counts
    GROUP BY GROUPING SETS ((species_id, year), (species_id))
    HAVING sum(production) <> sum(checked)
)
SELECT pg_catalog.to_jsonb(c) || pg_catalog.jsonb_build_object('species', s.scientific_name)
FROM changes AS c
LEFT JOIN {species} AS s ON s.id = c.species_id
ORDER BY abs(c.checked - c.production) DESC, s.scientific_name, c.year
