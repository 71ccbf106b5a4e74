-- Purpose: computes one row per species from the trade records, in one pass over them. A
--   species without trade gets 0 records, no years and empty lists, so that readers of a
--   summary find a list everywhere. Years ascend; within a year the most frequent code comes
--   first, ties by code. Columns of the summary that are not named here keep their values.
-- Lock: ROW EXCLUSIVE on the summary, ACCESS SHARE on species and trade.
-- Transaction: yes, REPEATABLE READ, after table/summary/lock.sql.
-- Undone by: table/summary/restore.sql.
WITH grouped AS (
    SELECT
        species_id,
        year,
        CASE
            WHEN grouping(term) = 0 THEN 'term'
            WHEN grouping(source) = 0 THEN 'source'
            WHEN grouping(purpose) = 0 THEN 'purpose'
            WHEN grouping(importer) = 0 THEN 'importer'
            WHEN grouping(exporter) = 0 THEN 'exporter'
            ELSE 'year'
        END AS kind,
        btrim(coalesce(term, source, purpose, importer, exporter)) AS code,
        count(*) AS records,
        coalesce(sum(coalesce({quantity}, {fallback})), 0)::numeric AS quantity
    FROM {trade}
    GROUP BY GROUPING SETS (
        (species_id, year),
        (species_id, year, term),
        (species_id, year, source),
        (species_id, year, purpose),
        (species_id, year, importer),
        (species_id, year, exporter)
    )
),
-- Rows of six kinds: one per year, and one per code of each of five columns in it. The columns
-- are grouped as they are: of their values, there are far fewer to trim.
counted AS MATERIALIZED (
    SELECT
        species_id,
        year,
        kind,
        code COLLATE "C" AS code,
        sum(records)::bigint AS records,
        trim_scale(sum(quantity)) AS quantity
    FROM (
        SELECT
            species_id,
            year,
            kind,
            CASE kind
                WHEN 'term' THEN coalesce(nullif(code, ''), 'Unknown')
                WHEN 'source' THEN coalesce(nullif(code, ''), 'unknown')
                WHEN 'purpose' THEN coalesce(nullif(code, ''), 'unknown')
                ELSE coalesce(code, '')
            END AS code,
            records,
            quantity
        FROM grouped
    ) AS g
    GROUP BY species_id, year, kind, code
),
coded AS (
    SELECT
        species_id,
        year,
        kind,
        code,
        jsonb_build_object(
            CASE kind WHEN 'term' THEN 'term' ELSE kind || '_code' END, code,
            'records', records,
            'quantity', quantity
        ) AS entry,
        records
    FROM counted
    WHERE kind <> 'year' AND code <> ''
),
listed AS (
    SELECT
        species_id,
        year,
        jsonb_agg(entry ORDER BY records DESC, code) FILTER (WHERE kind = 'term') AS terms,
        jsonb_agg(entry ORDER BY records DESC, code) FILTER (WHERE kind = 'source') AS sources,
        jsonb_agg(entry ORDER BY records DESC, code) FILTER (WHERE kind = 'purpose') AS purposes,
        jsonb_agg(entry ORDER BY records DESC, code) FILTER (WHERE kind = 'importer') AS importers,
        jsonb_agg(entry ORDER BY records DESC, code) FILTER (WHERE kind = 'exporter') AS exporters
    FROM coded
    GROUP BY species_id, year
),
yearly AS (
    SELECT
        counted.species_id,
        sum(counted.records) AS records,
        sum(counted.quantity) AS quantity,
        min(counted.year) AS first_year,
        max(counted.year) AS last_year,
        jsonb_agg(to_jsonb(counted.year) ORDER BY counted.year) AS years,
        jsonb_agg(
            jsonb_build_object(
                'year', counted.year,
                'total_records_for_year', counted.records,
                'total_quantity_for_year', counted.quantity,
                'terms_summary', coalesce(listed.terms, '[]'),
                'sources_summary', coalesce(listed.sources, '[]'),
                'purposes_summary', coalesce(listed.purposes, '[]'),
                'importers_summary', coalesce(listed.importers, '[]'),
                'exporters_summary', coalesce(listed.exporters, '[]')
            )
            ORDER BY counted.year
        ) AS summaries
    FROM counted
    LEFT JOIN listed USING (species_id, year)
    WHERE counted.kind = 'year'
    GROUP BY counted.species_id
),
code AS (
    SELECT DISTINCT species_id, kind, code FROM coded
),
overall AS (
    SELECT
        species_id,
        jsonb_agg(code ORDER BY code) FILTER (WHERE kind = 'term') AS terms,
        jsonb_agg(jsonb_build_object('code', code, 'name', code) ORDER BY code)
            FILTER (WHERE kind = 'importer') AS importers,
        jsonb_agg(jsonb_build_object('code', code, 'name', code) ORDER BY code)
            FILTER (WHERE kind = 'exporter') AS exporters
    FROM code
    GROUP BY species_id
)
INSERT INTO {summary} (
    species_id, last_updated_at, total_trade_records, overall_min_year, overall_max_year,
    overall_total_quantity, distinct_years, distinct_terms, distinct_importers,
    distinct_exporters, annual_summaries
)
SELECT
    s.id,
    now(),
    coalesce(yearly.records, 0),
    yearly.first_year,
    yearly.last_year,
    coalesce(yearly.quantity, 0),
    coalesce(yearly.years, '[]'),
    coalesce(overall.terms, '[]'),
    coalesce(overall.importers, '[]'),
    coalesce(overall.exporters, '[]'),
    coalesce(yearly.summaries, '[]')
FROM {species} AS s
LEFT JOIN yearly ON yearly.species_id = s.id
LEFT JOIN overall ON overall.species_id = s.id
ON CONFLICT (species_id) DO UPDATE SET
    last_updated_at = excluded.last_updated_at,
    total_trade_records = excluded.total_trade_records,
    overall_min_year = excluded.overall_min_year,
    overall_max_year = excluded.overall_max_year,
    overall_total_quantity = excluded.overall_total_quantity,
    distinct_years = excluded.distinct_years,
    distinct_terms = excluded.distinct_terms,
    distinct_importers = excluded.distinct_importers,
    distinct_exporters = excluded.distinct_exporters,
    annual_summaries = excluded.annual_summaries
