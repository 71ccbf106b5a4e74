-- Purpose: the statements that lend the group $1 what an owner needs: to create objects in
--   every schema, and to use what extensions brought along.
-- Lock: none. Transaction: either. Undone by: leave-roles.sql.
SELECT format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', nspname, $1::text)
FROM pg_catalog.pg_namespace
WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
UNION ALL
SELECT format('GRANT USAGE ON FOREIGN DATA WRAPPER %I TO %I', fdwname, $1::text)
FROM pg_catalog.pg_foreign_data_wrapper
ORDER BY 1
