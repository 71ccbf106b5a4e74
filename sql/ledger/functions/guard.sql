-- Purpose: makes sure, in the very transaction that writes to a table of somebody else's,
--   that no code of a role that is not trusted runs then: what was looked at before the
--   run may have changed since. The first function is sql/trust/code.sql, put in. Every
--   upgrade replaces both.
-- Lock: none. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE.

CREATE OR REPLACE FUNCTION sterna.strange_code(oid[], oid[]) RETURNS SETOF text
-- Compiling it would take longer than it does.
LANGUAGE plpgsql STABLE SET search_path = '' SET jit = off
AS $code$
BEGIN
    RETURN QUERY
    {code};
END
$code$;
REVOKE ALL ON FUNCTION sterna.strange_code(oid[], oid[]) FROM PUBLIC;

-- Locks the table first, so that nobody puts a trigger, a rule or a CHECK there until the
-- transaction has ended. True, or an error.
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
