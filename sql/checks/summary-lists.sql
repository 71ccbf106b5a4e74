-- Name: summary-lists
-- Purpose: the lists of the summary (terms, sources, purposes, importers, exporters of a
--   species in a year) have each code once, with its number of rows and the total of their
--   quantities. An empty term counts as Unknown, an empty source or purpose as unknown;
--   empty importers and exporters are left out. The order does not matter.
-- Fault: difference in a list of a summary
-- Severity: error
-- Applies to: live
-- Columns: species_id, year, term, source, purpose, importer, exporter
-- Parameters: {summary}, {species_written}, {quantity}, {other_quantity}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
WITH grouped AS (
    -- The columns are grouped as they are: of their values, there are far fewer to trim.
    SELECT
        species_id,
        year,
        CASE
            WHEN grouping(term) = 0 THEN 'terms'
            WHEN grouping(source) = 0 THEN 'sources'
            WHEN grouping(purpose) = 0 THEN 'purposes'
            WHEN grouping(importer) = 0 THEN 'importers'
            ELSE 'exporters'
        END AS list,
        nullif(btrim(coalesce(term, source, purpose, importer, exporter)), '') AS code,
        count(*) AS row_count,
        coalesce(sum(coalesce({quantity}, {other_quantity})), 0) AS total
    FROM {checked}
    GROUP BY GROUPING SETS (
        (species_id, year, term), (species_id, year, source), (species_id, year, purpose),
        (species_id, year, importer), (species_id, year, exporter)
    )
), expected AS (
    SELECT species_id, year, list, code, sum(row_count) AS row_count, sum(total) AS total
    FROM (
        SELECT
            species_id, year, list, row_count, total,
            CASE list
                WHEN 'terms' THEN coalesce(code, 'Unknown')
                WHEN 'sources' THEN coalesce(code, 'unknown')
                WHEN 'purposes' THEN coalesce(code, 'unknown')
                ELSE code
            END AS code
        FROM grouped
    ) AS g
    WHERE code IS NOT NULL
    GROUP BY species_id, year, list, code
), observed AS (
    SELECT
        s.species_id, y.year, l.list,
        coalesce(e.term, e.source_code, e.purpose_code, e.importer_code, e.exporter_code) AS code,
        sum(e.records) AS row_count,
        sum(e.quantity) AS total,
        count(*) AS times
    FROM {summary} AS s
    CROSS JOIN LATERAL jsonb_to_recordset(coalesce(s.annual_summaries::jsonb, '[]')) AS y (
        year integer, terms_summary jsonb, sources_summary jsonb, purposes_summary jsonb,
        importers_summary jsonb, exporters_summary jsonb
    )
    CROSS JOIN LATERAL (VALUES
        ('terms', y.terms_summary), ('sources', y.sources_summary),
        ('purposes', y.purposes_summary), ('importers', y.importers_summary),
        ('exporters', y.exporters_summary)
    ) AS l (list, entries)
    CROSS JOIN LATERAL jsonb_to_recordset(coalesce(l.entries, '[]')) AS e (
        term text, source_code text, purpose_code text, importer_code text, exporter_code text,
        records bigint, quantity numeric
    )
    GROUP BY 1, 2, 3, 4
)
SELECT
    species_id, year, list, code,
    e.row_count AS expected,
    o.row_count AS observed,
    e.total AS expected_quantity,
    o.total AS observed_quantity
FROM expected AS e
FULL JOIN observed AS o USING (species_id, year, list, code)
WHERE (o.times, o.row_count, o.total) IS DISTINCT FROM (1, e.row_count, e.total)
    AND species_id <> ALL ({species_written})
ORDER BY species_id, year, list, code
