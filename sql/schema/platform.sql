-- Purpose: what the hosted platform provides before any table exists: the roles behind its REST
--   API, their default privileges and the publication of its realtime service. Run it first of
--   the schema's files, as a superuser.
-- Lock: none on tables; the roles belong to the whole server. Transaction: yes.
-- Undone by: DROP PUBLICATION supabase_realtime; DROP OWNED BY and DROP ROLE for the three
--   roles, in every database that has them.

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role_name);
        EXCEPTION
            -- Another database's schema has already created it, or is creating it now.
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;

ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT ALL ON TABLES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;

CREATE PUBLICATION supabase_realtime;
