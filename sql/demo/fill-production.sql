-- Purpose: fills production as the old scripts left it, with random ids and quantities rounded
--   to what the column keeps. The few that it cannot hold at all are NULL.
-- Lock: ROW EXCLUSIVE on production. Transaction: either.
-- Undone by: TRUNCATE public.cites_trade_records.
INSERT INTO public.cites_trade_records (
    id, species_id, record_id, year, appendix, taxon, class, order_name, family, genus, term,
    quantity, unit, importer, exporter, origin, purpose, source, reporter_type,
    import_permit, export_permit, origin_permit
)
SELECT
    gen_random_uuid(), species_id, record_id, year, appendix, taxon, class, order_name, family,
    genus, term,
    CASE WHEN round(quantity, 2) < 100000000 THEN round(quantity, 2) END,
    unit, importer, exporter, origin, purpose, source, reporter_type,
    import_permit, export_permit, origin_permit
FROM public.cites_trade_records_staging
