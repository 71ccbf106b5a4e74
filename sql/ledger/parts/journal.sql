-- Purpose: the journal of writes to a table that is about to be replaced, or that
--   has replaced another: what is written there, and how it is carried over.
-- Lock: none, everything is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no table is journaled.

-- The tables whose writes are noted down.
CREATE TABLE sterna.journaled (
    relid oid PRIMARY KEY,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Rows when it began, once they were counted.
    row_count bigint
);

-- A row as text is exact for every type, and reads back into a row of another table
-- with the same columns.
CREATE TABLE sterna.journal (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relid oid NOT NULL,
    operation text NOT NULL CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
    old_row text,
    new_row text,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX journal_relid ON sterna.journal (relid, seq);

-- What is carried over from a journaled table: towards staging, which is to take its
-- place, or towards the old table, whose place it has taken. What a snapshot shows of
-- the journal is before the beginning, or carried over already. Entries are kept, for
-- staging may yet be emptied and filled again.
CREATE TABLE sterna.carrying (
    relid oid NOT NULL REFERENCES sterna.journaled ON DELETE CASCADE,
    toward text NOT NULL CHECK (toward IN ('staging', 'old')),
    since pg_snapshot NOT NULL DEFAULT pg_current_snapshot(),
    applied pg_snapshot NOT NULL DEFAULT pg_current_snapshot(),
    -- Rows that came and went in the other table by it.
    added bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (relid, toward)
);

-- Runs with the rights of the ledger's owner, for those who write to the table have
-- none here; and with fixed settings, so that the text does not depend on theirs.
CREATE FUNCTION sterna.journal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = '' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'iso_8601'
SET extra_float_digits = 3 SET bytea_output = 'hex' SET lc_monetary = 'C'
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO sterna.journal (relid, operation, new_row)
        VALUES (TG_RELID, TG_OP, NEW::text);
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO sterna.journal (relid, operation, old_row, new_row)
        VALUES (TG_RELID, TG_OP, OLD::text, NEW::text);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO sterna.journal (relid, operation, old_row)
        VALUES (TG_RELID, TG_OP, OLD::text);
    ELSE
        INSERT INTO sterna.journal (relid, operation) VALUES (TG_RELID, TG_OP);
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION sterna.journal() FROM PUBLIC;

-- Does to `target` what was done to `source`, in the order in which it was done. An insertion whose key is taken changes that row; a change of a row
-- that is missing inserts it; so what was written is there in the end. A change
-- touches the columns that it changed.
CREATE FUNCTION sterna.replay(
    source regclass, target regclass, direction text,
    OUT entries bigint, OUT inserted bigint, OUT updated bigint, OUT deleted bigint
)
LANGUAGE plpgsql
SET search_path = '' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'iso_8601'
SET lc_monetary = 'C'
AS $$
DECLARE
    entry record;
    touched bigint;
    misfit text;
    shown pg_snapshot;
    all_columns text;
    from_new text;
    set_all text;
    set_changed text;
    by_old_key text;
    by_new_key text;
    inexact text;
BEGIN
    entries := 0; inserted := 0; updated := 0; deleted := 0;
    -- Columns that can be written, by name: the two tables need not have them at
    -- the same numbers.
    SELECT
        string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum),
        string_agg(format('(n.r).%I', a.attname), ', ' ORDER BY a.attnum),
        string_agg(format('%1$I = (n.r).%1$I', a.attname), ', ' ORDER BY a.attnum)
            FILTER (WHERE a.attidentity <> 'a'),
        string_agg(
            format(
                '%1$I = CASE WHEN (o.r).%1$I::text IS DISTINCT FROM (n.r).%1$I::text '
                'THEN (n.r).%1$I ELSE t.%1$I END', a.attname
            ), ', ' ORDER BY a.attnum
        ) FILTER (WHERE a.attidentity <> 'a'),
        string_agg(
            format('(s.r).%1$I IS DISTINCT FROM (n.r).%1$I', a.attname), ' OR '
        ) FILTER (WHERE b.atttypmod <> a.atttypmod OR b.atttypid <> a.atttypid)
    INTO all_columns, from_new, set_all, set_changed, inexact
    FROM pg_catalog.pg_attribute AS a
    INNER JOIN pg_catalog.pg_attribute AS b ON b.attrelid = source AND b.attname = a.attname
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    SELECT
        string_agg(format('t.%1$I = (o.r).%1$I', a.attname), ' AND '),
        string_agg(format('t.%1$I = (n.r).%1$I', a.attname), ' AND ')
    INTO STRICT by_old_key, by_new_key
    FROM pg_catalog.pg_index AS i
    INNER JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
    WHERE i.indrelid = source AND i.indisprimary;

    FOR entry IN
        SELECT j.*, pg_catalog.pg_current_snapshot() AS snapshot
        FROM sterna.carrying AS c
        INNER JOIN sterna.journal AS j ON j.relid = c.relid
        WHERE c.relid = source AND c.toward = direction
            AND NOT pg_catalog.pg_visible_in_snapshot(j.xid, c.applied)
        ORDER BY j.seq
    LOOP
        entries := entries + 1;
        shown := entry.snapshot;
        IF entry.operation = 'TRUNCATE' THEN
            RAISE EXCEPTION '% was truncated while it was being replaced', source
                USING ERRCODE = 'SN001';
        END IF;
        IF inexact IS NOT NULL AND entry.new_row IS NOT NULL THEN
            EXECUTE format(
                'SELECT $1 FROM (SELECT $1::%s AS r) AS s, (SELECT $1::%s AS r) AS n WHERE %s',
                source, target, inexact
            ) INTO misfit USING entry.new_row;
            IF misfit IS NOT NULL THEN
                RAISE EXCEPTION 'a column of % cannot hold exactly what was written: %',
                    target, misfit USING ERRCODE = 'SN002';
            END IF;
        END IF;
        IF entry.operation = 'DELETE' THEN
            EXECUTE format(
                'DELETE FROM %s AS t USING (SELECT $1::%s AS r) AS o WHERE %s',
                target, source, by_old_key
            ) USING entry.old_row;
            GET DIAGNOSTICS touched = ROW_COUNT;
            deleted := deleted + touched;
        ELSE
            touched := 0;
            IF entry.operation = 'UPDATE' THEN
                EXECUTE format(
                    'UPDATE %s AS t SET %s FROM (SELECT $1::%s AS r) AS o, (SELECT $2::%s AS r) AS n '
                    'WHERE %s', target, set_changed, target, target, by_old_key
                ) USING entry.old_row, entry.new_row;
                GET DIAGNOSTICS touched = ROW_COUNT;
                updated := updated + touched;
            END IF;
            IF touched = 0 THEN
                -- Not ON CONFLICT, which a deferrable key does not serve.
                EXECUTE format(
                    'UPDATE %s AS t SET %s FROM (SELECT $1::%s AS r) AS n WHERE %s',
                    target, set_all, target, by_new_key
                ) USING entry.new_row;
                GET DIAGNOSTICS touched = ROW_COUNT;
                updated := updated + touched;
            END IF;
            IF touched = 0 THEN
                EXECUTE format(
                    'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE '
                    'SELECT %s FROM (SELECT $1::%s AS r) AS n',
                    target, all_columns, from_new, target
                ) USING entry.new_row;
                inserted := inserted + 1;
            END IF;
        END IF;
    END LOOP;
    UPDATE sterna.carrying AS c
    SET applied = coalesce(shown, c.applied),
        added = c.added + replay.inserted,
        removed = c.removed + replay.deleted
    WHERE c.relid = source AND c.toward = direction;
END
$$;
REVOKE ALL ON FUNCTION sterna.replay(regclass, regclass, text) FROM PUBLIC;
