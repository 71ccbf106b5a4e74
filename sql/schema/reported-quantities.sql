-- Purpose: the trade table as other installations have it, with the quantities reported by
--   importer and exporter side by side, lengths, checks and timestamps. Run it in place of
--   production.sql: after species.sql and before around.sql.
-- Lock: none on tables with rows; public.species is referred to. Transaction: yes.
-- Undone by: DROP TABLE public.cites_trade_records CASCADE.

CREATE TABLE public.cites_trade_records (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    species_id uuid NOT NULL REFERENCES public.species (id) ON DELETE CASCADE,
    record_id varchar(50),
    year integer NOT NULL,
    appendix varchar(10) NOT NULL,
    taxon varchar(255) NOT NULL,
    class varchar(100),
    order_name varchar(100),
    family varchar(100),
    genus varchar(100),
    term varchar(100) NOT NULL,
    importer_reported_quantity numeric,
    exporter_reported_quantity numeric,
    unit varchar(50),
    importer varchar(10),
    exporter varchar(10),
    origin varchar(10),
    purpose varchar(10),
    source varchar(10),
    reporter_type varchar(10),
    import_permit varchar(100),
    export_permit varchar(100),
    origin_permit varchar(100),
    data_source varchar(50) DEFAULT 'CITES Trade Database',
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    -- The first year of the convention's trade data, and one that no report can reach.
    CONSTRAINT cites_trade_records_year_check CHECK (year BETWEEN 1975 AND 2100),
    CONSTRAINT cites_trade_records_appendix_check CHECK (appendix IN ('I', 'II', 'III', 'N'))
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
    sum(importer_reported_quantity) AS importer_quantity,
    sum(exporter_reported_quantity) AS exporter_quantity
FROM public.cites_trade_records
GROUP BY species_id, year, term, unit;

GRANT ALL ON public.cites_trade_records TO anon, authenticated, service_role;
GRANT ALL ON public.trade_quantity_by_year TO anon, authenticated, service_role;
