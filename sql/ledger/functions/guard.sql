-- Purpose: makes sure, in the very transaction that writes to another role's table, that no
--   code of an untrusted role runs: what was checked before the run may have changed since. The
--   first function wraps sql/trust/code.sql. Every upgrade replaces both.
-- Lock: none. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE.

CREATE OR REPLACE FUNCTION sterna.strange_code(oid[], oid[]) RETURNS SETOF text
-- JIT compilation would take longer than the query.
LANGUAGE plpgsql STABLE SET search_path = '' SET jit = off
AS $code$
BEGIN
    RETURN QUERY
    {code};
END
$code$;
REVOKE ALL ON FUNCTION sterna.strange_code(oid[], oid[]) FROM PUBLIC;

-- Locks the table first, so that nobody can add a trigger, a rule or a CHECK until the
-- transaction ends. Returns true or raises an error.
CREATE OR REPLACE FUNCTION sterna.guarded(target oid) RETURNS boolean
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    found text;
BEGIN
    EXECUTE format('LOCK TABLE %s IN ROW EXCLUSIVE MODE', target::regclass);
    SELECT string_agg(f.code, '; ') INTO found
    FROM sterna.strange_code('{}', ARRAY[target]) AS f (code);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'code of other roles would run with this role''s rights: %', found
            USING ERRCODE = 'SN020';
    END IF;
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION sterna.guarded(oid) FROM PUBLIC;
