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

-- The row to write where `new_row` was: itself where the columns of the target hold it
-- exactly; what the row came to be later, where that fits; NULL where it was deleted.
-- Each of the two queries is of replay's making.
CREATE FUNCTION sterna.fitting(
    misfit_of text, written_later text, entry bigint, old_row text, new_row text
) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    misfit text;
    later record;
BEGIN
    FOR attempt IN 1..2 LOOP
        BEGIN
            EXECUTE misfit_of INTO misfit USING old_row, new_row;
        EXCEPTION WHEN data_exception THEN
            misfit := SQLERRM;
        END;
        IF misfit IS NULL THEN
            RETURN new_row;
        END IF;
        EXECUTE written_later INTO later USING entry, new_row;
        EXIT WHEN attempt = 2 OR later.operation IS NULL;
        IF later.operation = 'DELETE' THEN
            RETURN NULL;
        END IF;
        new_row := later.new_row;
    END LOOP;
    RAISE EXCEPTION 'what was written cannot be held exactly by the other table: %', misfit
        USING ERRCODE = 'SN002';
END
$$;
REVOKE ALL ON FUNCTION sterna.fitting(text, text, bigint, text, text) FROM PUBLIC;

-- Does to `target` what was done to `source`, in the order in which it was done. An
-- insertion whose key is taken changes that row; a change of a row that is missing
-- inserts it; so what was written is there in the end. A change touches the columns
-- that it changed.
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
    row_after text;
    shown pg_snapshot;
    -- A row as text becomes a row once, and not again for each of its columns. It is the
    -- source's: what the target cannot hold matters only where it is to be written.
    old_row CONSTANT text := format('(SELECT $1::%s AS r OFFSET 0) AS o', source);
    new_row CONSTANT text := format('(SELECT $2::%s AS r OFFSET 0) AS n', source);
    misfit text;
    change_misfit text;
    written_later text;
    narrower boolean;
    change text;
    overwrite text;
    insertion text;
    removal text;
    is_deleted_later text;
    is_gone boolean;
BEGIN
    entries := 0; inserted := 0; updated := 0; deleted := 0;
    -- Columns that can be written, by name: the two tables need not have them at
    -- the same numbers.
    SELECT
        format(
            'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s',
            target,
            string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum),
            string_agg(format('(n.r).%I', a.attname), ', ' ORDER BY a.attnum),
            new_row
        ),
        format(
            'UPDATE %s AS t SET %s FROM %s WHERE ',
            target,
            string_agg(format('%1$I = (n.r).%1$I', a.attname), ', ' ORDER BY a.attnum)
                FILTER (WHERE a.attidentity <> 'a'),
            new_row
        ),
        format(
            'UPDATE %s AS t SET %s FROM %s, %s WHERE ',
            target,
            string_agg(
                format(
                    '%1$I = CASE WHEN (o.r).%1$I::text IS DISTINCT FROM (n.r).%1$I::text '
                    'THEN (n.r).%1$I ELSE t.%1$I END', a.attname
                ), ', ' ORDER BY a.attnum
            ) FILTER (WHERE a.attidentity <> 'a'),
            old_row,
            new_row
        ),
        string_agg(
            format(
                'CASE WHEN (n.r).%1$I IS DISTINCT FROM (n.r).%1$I::%2$s '
                'THEN %1$L || '' '' || (n.r).%1$I::text END',
                a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
            ), ', ' ORDER BY a.attnum
        ) FILTER (WHERE b.atttypmod <> a.atttypmod OR b.atttypid <> a.atttypid),
        string_agg(
            format(
                'CASE WHEN (o.r).%1$I::text IS DISTINCT FROM (n.r).%1$I::text '
                'AND (n.r).%1$I IS DISTINCT FROM (n.r).%1$I::%2$s '
                'THEN %1$L || '' '' || (n.r).%1$I::text END',
                a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
            ), ', ' ORDER BY a.attnum
        ) FILTER (WHERE b.atttypmod <> a.atttypmod OR b.atttypid <> a.atttypid)
    INTO insertion, overwrite, change, misfit, change_misfit
    FROM pg_catalog.pg_attribute AS a
    INNER JOIN pg_catalog.pg_attribute AS b ON b.attrelid = source AND b.attname = a.attname
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    narrower := misfit IS NOT NULL;
    SELECT
        change || string_agg(format('t.%1$I = (o.r).%1$I', a.attname), ' AND '),
        overwrite || string_agg(format('t.%1$I = (n.r).%1$I', a.attname), ' AND '),
        format('DELETE FROM %s AS t USING %s WHERE ', target, old_row)
        || string_agg(format('t.%1$I = (o.r).%1$I', a.attname), ' AND '),
        format(
            'SELECT EXISTS (SELECT FROM sterna.journal AS j, '
            'LATERAL (SELECT j.old_row::%1$s AS r OFFSET 0) AS o, %2$s '
            'WHERE j.relid = %3$s AND j.seq > $1 AND j.operation = ''DELETE'' AND ',
            source, new_row, source::oid
        ) || string_agg(format('(o.r).%1$I = (n.r).%1$I', a.attname), ' AND ') || ')',
        format(
            'SELECT j.operation, j.new_row FROM sterna.journal AS j, '
            'LATERAL (SELECT j.old_row::%1$s AS r OFFSET 0) AS o, %2$s '
            'WHERE j.relid = %3$s AND j.seq > $1 AND j.old_row IS NOT NULL AND ',
            source, new_row, source::oid
        ) || string_agg(format('(o.r).%1$I = (n.r).%1$I', a.attname), ' AND ')
        || ' ORDER BY j.seq DESC LIMIT 1',
        format(
            'SELECT %s || '': '' || nullif(concat_ws('', '', %s), '''') FROM %s',
            string_agg(format('%1$L || '' '' || (n.r).%1$I::text', a.attname), ' || '', '' || '),
            misfit, new_row
        ),
        format(
            'SELECT %s || '': '' || nullif(concat_ws('', '', %s), '''') FROM %s, %s',
            string_agg(format('%1$L || '' '' || (n.r).%1$I::text', a.attname), ' || '', '' || '),
            change_misfit, old_row, new_row
        )
    INTO STRICT change, overwrite, removal, is_deleted_later, written_later, misfit, change_misfit
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
        touched := 0;
        IF entry.operation = 'TRUNCATE' THEN
            RAISE EXCEPTION '% was truncated %', source, CASE direction
                WHEN 'old' THEN
                    format('since the switchover, so its rows cannot be carried back to %s', target)
                ELSE 'while it was being replaced'
            END USING ERRCODE = 'SN001';
        ELSIF entry.operation = 'DELETE' THEN
            EXECUTE removal USING entry.old_row;
            GET DIAGNOSTICS touched = ROW_COUNT;
            deleted := deleted + touched;
            CONTINUE;
        END IF;
        BEGIN
            row_after := entry.new_row;
            IF entry.operation = 'UPDATE' THEN
                IF narrower THEN
                    row_after := sterna.fitting(
                        change_misfit, written_later, entry.seq, entry.old_row, entry.new_row
                    );
                    CONTINUE WHEN row_after IS NULL;
                END IF;
                EXECUTE change USING entry.old_row, row_after;
                GET DIAGNOSTICS touched = ROW_COUNT;
            END IF;
            IF touched = 0 AND narrower THEN
                row_after := sterna.fitting(
                    misfit, written_later, entry.seq, NULL, entry.new_row
                );
                CONTINUE WHEN row_after IS NULL;
            END IF;
            IF touched = 0 THEN
                -- Not ON CONFLICT, which a deferrable key does not serve.
                EXECUTE overwrite USING NULL::text, row_after;
                GET DIAGNOSTICS touched = ROW_COUNT;
            END IF;
            updated := updated + touched;
            IF touched = 0 THEN
                EXECUTE insertion USING NULL::text, row_after;
                inserted := inserted + 1;
            END IF;
        EXCEPTION WHEN foreign_key_violation THEN
            -- What the row referred to was deleted later, and the row with it.
            EXECUTE is_deleted_later INTO is_gone USING entry.seq, entry.new_row;
            IF NOT is_gone THEN
                RAISE;
            END IF;
        END;
    END LOOP;
    UPDATE sterna.carrying AS c
    SET applied = coalesce(shown, c.applied),
        added = c.added + replay.inserted,
        removed = c.removed + replay.deleted
    WHERE c.relid = source AND c.toward = direction;
END
$$;
REVOKE ALL ON FUNCTION sterna.replay(regclass, regclass, text) FROM PUBLIC;
