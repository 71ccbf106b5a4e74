-- Purpose: inserts a record, as the application does.
-- Lock: ROW EXCLUSIVE. Transaction: either. Undone by: demo/traffic/delete.sql.
INSERT INTO public.cites_trade_records (species_id, record_id, year, appendix, taxon, term, unit)
SELECT id, $1, $3, 'II', scientific_name, 'demo', $2
FROM public.species
WHERE scientific_name = 'Ursus maritimus'
