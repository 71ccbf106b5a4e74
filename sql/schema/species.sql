-- Purpose: the species that trade records refer to. Run it after platform.sql, whose default
--   privileges give the API's roles their grants.
-- Lock: none, the table is new. Transaction: yes. Undone by: DROP TABLE public.species.

CREATE TABLE public.species (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    scientific_name text NOT NULL,
    common_name text NOT NULL,
    kingdom text NOT NULL,
    phylum text NOT NULL,
    class text NOT NULL,
    order_name text NOT NULL,
    family text NOT NULL,
    genus text NOT NULL,
    species_name text NOT NULL,
    authority text,
    sis_id integer,
    inaturalist_id integer,
    description text,
    habitat_description text,
    population_size text,
    population_trend text,
    use_and_trade text,
    threats_overview text,
    conservation_overview text,
    generation_length numeric(5,2),
    family_id uuid,
    created_at timestamptz DEFAULT now()
);

-- Not unique: nothing in production keeps two species from sharing a name.
CREATE INDEX idx_species_scientific_name ON public.species (scientific_name);

-- Explicit in addition to the default privileges, which only cover the role that set them.
GRANT ALL ON public.species TO anon, authenticated, service_role;
