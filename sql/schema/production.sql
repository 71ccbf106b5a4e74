-- Purpose: the trade table that sterna replaces, with the columns of shipment records, and the
--   view over its quantities. Run it after species.sql and before around.sql;
--   reported-quantities.sql is the other form of the same table.
-- Lock: none on tables with rows; public.species is referred to. Transaction: yes.
-- Undone by: DROP TABLE public.cites_trade_records CASCADE.

CREATE TABLE public.cites_trade_records (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    species_id uuid NOT NULL REFERENCES public.species (id) ON DELETE CASCADE,
    record_id text,
    year integer NOT NULL,
    appendix text NOT NULL,
    taxon text NOT NULL,
    class text,
    order_name text,
    family text,
    genus text,
    term text NOT NULL,
    quantity numeric(10,2),
    unit text,
    importer text,
    exporter text,
    origin text,
    purpose text,
    source text,
    reporter_type text,
    import_permit text,
    export_permit text,
    origin_permit text
);

CREATE INDEX idx_cites_trade_species ON public.cites_trade_records (species_id);
CREATE INDEX idx_cites_trade_year ON public.cites_trade_records (year);

-- A quantity means something only together with its term and unit.
CREATE VIEW public.trade_quantity_by_year AS
SELECT
    species_id,
    year,
    term,
    unit,
    count(*) AS records,
    sum(quantity) AS quantity
FROM public.cites_trade_records
GROUP BY species_id, year, term, unit;

GRANT ALL ON public.cites_trade_records TO anon, authenticated, service_role;
GRANT ALL ON public.trade_quantity_by_year TO anon, authenticated, service_role;
