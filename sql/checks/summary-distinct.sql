-- Name: summary-distinct
-- Purpose: the summary of each species lists its years, terms, importers and exporters,
--   each once, and no others.
-- Severity: error
-- Applies to: live
-- Columns: species_id, year, term, importer, exporter
-- Parameters: {summary}, {species_written}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
WITH expected AS (
    SELECT DISTINCT t.species_id, c.list, c.code
    FROM (SELECT DISTINCT species_id, year, term, importer, exporter FROM {checked}) AS t
    CROSS JOIN LATERAL (VALUES
        ('years', t.year::text),
        ('terms', coalesce(nullif(btrim(t.term), ''), 'Unknown')),
        ('importers', nullif(btrim(t.importer), '')),
        ('exporters', nullif(btrim(t.exporter), ''))
    ) AS c (list, code)
    WHERE c.code IS NOT NULL
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
