-- Purpose: creates the schema of the ledger, whose tables come from ledger/parts. A schema
--   created for sterna beforehand is used if it belongs to this role or to a superuser.
-- Lock: none, everything is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no load is to be resumed.

DO $$
BEGIN
    -- If it exists, IF NOT EXISTS would still require the right to create it.
    IF pg_catalog.to_regnamespace('sterna') IS NULL THEN
        CREATE SCHEMA sterna;
    END IF;
END
$$;
-- Default privileges may have opened it; without USAGE, rights on its tables are moot.
DO $$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
        FROM pg_namespace AS n, LATERAL aclexplode(n.nspacl) AS a
        WHERE n.nspname = 'sterna' AND a.grantee <> n.nspowner
    LOOP
        EXECUTE 'REVOKE ALL ON SCHEMA sterna FROM ' || grantee;
    END LOOP;
END
$$;
