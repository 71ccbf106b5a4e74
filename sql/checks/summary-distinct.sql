-- Name: summary-distinct
-- Purpose: the summary of each species lists its years, terms, importers and exporters,
--   each once, and no others.
-- Fault: difference in a list of a summary
-- Severity: error
-- Applies to: live
-- Columns: species_id, year, term, importer, exporter
-- Parameters: {summary}, {species_written}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
WITH grouped AS (
    -- The columns are grouped as they are: of their values, there are far fewer to trim.
    SELECT
        species_id,
        CASE
            WHEN grouping(year) = 0 THEN 'years'
            WHEN grouping(term) = 0 THEN 'terms'
            WHEN grouping(importer) = 0 THEN 'importers'
            ELSE 'exporters'
        END AS list,
        year,
        nullif(btrim(coalesce(term, importer, exporter)), '') AS code
    FROM {checked}
    GROUP BY GROUPING SETS (
        (species_id, year), (species_id, term), (species_id, importer), (species_id, exporter)
    )
), expected AS (
    SELECT DISTINCT species_id, list, code
    FROM (
        SELECT
            species_id,
            list,
            CASE list WHEN 'years' THEN year::text WHEN 'terms' THEN coalesce(code, 'Unknown') ELSE code
            END AS code
        FROM grouped
    ) AS g
    WHERE code IS NOT NULL
), observed AS (
    SELECT s.species_id, l.list, coalesce(e.entry ->> 'code', e.entry #>> '{}') AS code, count(*) AS times
    FROM {summary} AS s
    CROSS JOIN LATERAL (VALUES
        ('years', s.distinct_years::jsonb), ('terms', s.distinct_terms::jsonb),
        ('importers', s.distinct_importers::jsonb), ('exporters', s.distinct_exporters::jsonb)
    ) AS l (list, entries)
    CROSS JOIN LATERAL jsonb_array_elements(coalesce(l.entries, '[]')) AS e (entry)
    GROUP BY 1, 2, 3
)
SELECT
    species_id, list, code,
    CASE WHEN e.code IS NULL THEN 0 ELSE 1 END AS expected,
    coalesce(o.times, 0) AS observed
FROM expected AS e
FULL JOIN observed AS o USING (species_id, list, code)
WHERE (e.code IS NULL OR o.times IS DISTINCT FROM 1) AND species_id <> ALL ({species_written})
ORDER BY species_id, list, code
