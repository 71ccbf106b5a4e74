-- Purpose: inserts the species that the demo's trade records refer to, all at once; one array
--   per column, $1 to $10.
-- Lock: ROW EXCLUSIVE on species. Transaction: either. Undone by: DELETE FROM public.species.
INSERT INTO public.species (
    id, scientific_name, common_name, kingdom, phylum, class, order_name, family, genus,
    species_name
)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[]
)
