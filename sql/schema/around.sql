-- Purpose: what surrounds the trade table and must survive its replacement: the summary per
--   species with its row-level security, views over species and trade, functions that count
--   trade by year, membership in the publication. Run it last of the schema's files; it needs
--   no column that the two forms of the trade table do not share.
-- Lock: none on tables with rows. Transaction: yes.
-- Undone by: DROP TABLE public.species_trade_summary; DROP VIEW and DROP FUNCTION for the rest;
--   ALTER PUBLICATION supabase_realtime DROP TABLE.

CREATE TABLE public.species_trade_summary (
    species_id uuid PRIMARY KEY REFERENCES public.species (id) ON DELETE CASCADE,
    last_updated_at timestamptz NOT NULL DEFAULT now(),
    total_trade_records integer,
    overall_min_year integer,
    overall_max_year integer,
    overall_total_quantity numeric,
    distinct_years jsonb,
    distinct_terms jsonb,
    distinct_importers jsonb,
    distinct_exporters jsonb,
    annual_summaries jsonb
);

-- The grants below are wide, as the platform makes them; the policies narrow them.
ALTER TABLE public.species_trade_summary ENABLE ROW LEVEL SECURITY;

CREATE POLICY species_trade_summary_read ON public.species_trade_summary
    FOR SELECT USING (true);
CREATE POLICY species_trade_summary_insert ON public.species_trade_summary
    FOR INSERT TO service_role WITH CHECK (true);
CREATE POLICY species_trade_summary_update ON public.species_trade_summary
    FOR UPDATE TO service_role USING (true) WITH CHECK (true);

CREATE VIEW public.species_trade_overview AS
SELECT
    s.id,
    s.scientific_name,
    s.common_name,
    count(t.id) AS trade_records,
    min(t.year) AS first_year,
    max(t.year) AS last_year
FROM public.species AS s
LEFT JOIN public.cites_trade_records AS t ON t.species_id = s.id
GROUP BY s.id;

CREATE VIEW public.trade_routes AS
SELECT
    s.scientific_name,
    t.year,
    t.exporter,
    t.importer,
    t.term,
    count(*) AS records
FROM public.cites_trade_records AS t
INNER JOIN public.species AS s ON s.id = t.species_id
GROUP BY s.scientific_name, t.year, t.exporter, t.importer, t.term;

-- Reads with the rights of the caller: an option that is easily lost when a view is recreated.
-- PostgreSQL 14 does not have it.
DO $$ BEGIN
    IF current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW public.trade_routes SET (security_invoker = true);
    END IF;
END $$;

CREATE FUNCTION public.trade_records_by_year()
RETURNS TABLE (year integer, records bigint)
LANGUAGE sql STABLE
SET search_path = ''
AS $$
    SELECT t.year, count(*)
    FROM public.cites_trade_records AS t
    GROUP BY t.year
    ORDER BY t.year
$$;

CREATE FUNCTION public.species_trade_by_year(wanted_species uuid)
RETURNS TABLE (year integer, records bigint)
LANGUAGE sql STABLE
SET search_path = ''
AS $$
    SELECT t.year, count(*)
    FROM public.cites_trade_records AS t
    WHERE t.species_id = wanted_species
    GROUP BY t.year
    ORDER BY t.year
$$;

GRANT ALL ON public.species_trade_summary TO anon, authenticated, service_role;
GRANT ALL ON public.species_trade_overview TO anon, authenticated, service_role;
GRANT ALL ON public.trade_routes TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION public.trade_records_by_year() TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION public.species_trade_by_year(uuid) TO anon, authenticated, service_role;

ALTER PUBLICATION supabase_realtime
    ADD TABLE public.species, public.cites_trade_records, public.species_trade_summary;
