-- Purpose: rows of each species and of each year in both tables, and where a species has a
--   different number of rows in a year. One pass over each table. Rows inserted into production
--   in the meantime are carried over by the exchange, and do not count.
-- Lock: ACCESS SHARE on both. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
WITH counts AS (
    SELECT {reference} AS species_id, year, count(*) AS production, 0 AS checked
    FROM {table}
    WHERE {all_years} OR year = ANY ({years})
    GROUP BY 1, 2
    UNION ALL
    SELECT {reference}, year, -count(*), 0
    FROM sterna.written_rows(NULL::{table}, 'I')
    WHERE {all_years} OR year = ANY ({years})
    GROUP BY 1, 2
    UNION ALL
    SELECT {reference}, year, 0, count(*)
    FROM {checked}
    WHERE {all_years} OR year = ANY ({years})
    GROUP BY 1, 2
), compared AS (
    SELECT
        CASE
            WHEN GROUPING(year) = 1 THEN 'species'
            WHEN GROUPING(species_id) = 1 THEN 'year'
            ELSE 'species and year'
        END AS by,
        species_id, year, sum(production)::bigint AS production, sum(checked)::bigint AS checked
    FROM counts
    GROUP BY GROUPING SETS ((species_id, year), (species_id), (year))
    HAVING
        GROUPING(species_id) = 1 OR GROUPING(year) = 1 OR sum(production) <> sum(checked)
)
SELECT
    c.by,
    pg_catalog.to_jsonb(c) - 'by'
    || pg_catalog.jsonb_build_object('species', s.{species_name})
FROM compared AS c
LEFT JOIN {species} AS s ON s.{species_key} = c.species_id
ORDER BY abs(c.checked - c.production) DESC, s.{species_name}, c.year
