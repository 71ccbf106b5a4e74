-- Purpose: the schema of the ledger, whose tables come from ledger/parts.
--   One that was made for sterna beforehand, and is this role's or a superuser's, will do.
-- Lock: none, everything is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no load is to be resumed.

DO $$
BEGIN
    -- Where it is there, IF NOT EXISTS would still ask for the right to create it.
    IF pg_catalog.to_regnamespace('sterna') IS NULL THEN
        CREATE SCHEMA sterna;
    END IF;
END
$$;
-- Default privileges may have opened it; without USAGE rights on its tables are moot.
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
