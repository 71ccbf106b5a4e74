-- Purpose: the functions that create a journal and read it. Functions hold no state, so every
--   upgrade replaces them.
-- Lock: none. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE.

-- Fails a transaction whose conditions do not hold: statements sent together with COMMIT cannot
-- ask the client. `detail` is for programs.
CREATE OR REPLACE FUNCTION sterna.refuse(code text, message text, detail text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = coalesce(detail, '');
END
$$;
REVOKE ALL ON FUNCTION sterna.refuse(text, text, text) FROM PUBLIC;

-- The columns of a table's primary key, in key order, and the other writable columns: one bit
-- of `changed` each.
CREATE OR REPLACE FUNCTION sterna.journaled_columns(
    source regclass, OUT key_columns name[], OUT value_columns name[]
)
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT
        array_agg(a.attname ORDER BY pg_catalog.array_position(i.key, a.attnum))
            FILTER (WHERE a.attnum = ANY (i.key)),
        coalesce(array_agg(a.attname ORDER BY a.attnum)
            FILTER (WHERE a.attgenerated = '' AND a.attnum <> ALL (i.key)), '{}')
    FROM (
        SELECT x.indkey[0:x.indnkeyatts - 1]::int2[] AS key
        FROM pg_catalog.pg_index AS x
        WHERE x.indrelid = source AND x.indisprimary
    ) AS i
    CROSS JOIN pg_catalog.pg_attribute AS a
    WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped
$$;
REVOKE ALL ON FUNCTION sterna.journaled_columns(regclass) FROM PUBLIC;

-- An expression for the columns that differ between two rows. They are compared byte by byte:
-- that works for every type, and calls no user-defined operator.
CREATE OR REPLACE FUNCTION sterna.changed_columns(source regclass, old_row text, new_row text) RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT coalesce(
        pg_catalog.string_agg(
            pg_catalog.format(
                'CASE WHEN pg_catalog.record_image_ne(ROW(%2$s.%1$I), ROW(%3$s.%1$I)) '
                'THEN B''1'' ELSE B''0'' END',
                v.name, old_row, new_row
            ), ' OPERATOR(pg_catalog.||) ' ORDER BY v.position
        ), 'B''0''')
    FROM sterna.journaled_columns(source) AS c
    CROSS JOIN LATERAL unnest(c.value_columns) WITH ORDINALITY AS v (name, position)
$$;
REVOKE ALL ON FUNCTION sterna.changed_columns(regclass, text, text) FROM PUBLIC;

-- A row as text that reads back as the same row, whatever the settings of the session that
-- wrote it. No cast is used: a user may have defined one.
CREATE OR REPLACE FUNCTION sterna.row_text(whole record) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = '' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'iso_8601'
SET extra_float_digits = 3 SET bytea_output = 'hex' SET lc_monetary = 'C'
AS $$
BEGIN
    RETURN format('%s', whole);
END
$$;
REVOKE ALL ON FUNCTION sterna.row_text(record) FROM PUBLIC;

-- The rows deleted from a table since its journal began, in their last state:
-- sterna.deleted_rows(NULL::the_table).
CREATE OR REPLACE FUNCTION sterna.deleted_rows(whole anyelement) RETURNS SETOF anyelement
LANGUAGE plpgsql STABLE
SET search_path = '' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'iso_8601'
SET lc_monetary = 'C' SET array_nulls = on
AS $$
DECLARE
    source CONSTANT regclass := (
        SELECT t.typrelid FROM pg_catalog.pg_type AS t WHERE t.oid = pg_typeof(whole)
    );
    entry record;
BEGIN
    IF pg_catalog.to_regclass(format('sterna.%I', 'journal_' || source::oid)) IS NULL THEN
        RETURN;
    END IF;
    FOR entry IN EXECUTE format(
        'SELECT gone FROM sterna.%I WHERE operation = ''D'' AND gone IS NOT NULL',
        'journal_' || source::oid
    ) LOOP
        -- A literal goes through the type's input function, never through a cast.
        RETURN QUERY EXECUTE format('SELECT (r.whole).* FROM (SELECT %L::%s AS whole) AS r',
            entry.gone, source);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION sterna.deleted_rows(anyelement) FROM PUBLIC;

-- The rows of a table that were written to since its journal began and still exist, optionally
-- only those that one operation wrote: sterna.written_rows(NULL::the_table, 'I').
CREATE OR REPLACE FUNCTION sterna.written_rows(whole anyelement, operation "char" DEFAULT NULL)
RETURNS SETOF anyelement
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    source CONSTANT regclass := (
        SELECT t.typrelid FROM pg_catalog.pg_type AS t WHERE t.oid = pg_typeof(whole)
    );
    is_same text;
BEGIN
    IF pg_catalog.to_regclass(format('sterna.%I', 'journal_' || source::oid)) IS NULL THEN
        RETURN;
    END IF;
    SELECT string_agg(format('l.%I = j.key_%s', k.name, k.position), ' AND ')
    INTO is_same
    FROM sterna.journaled_columns(source) AS c
    CROSS JOIN LATERAL unnest(c.key_columns) WITH ORDINALITY AS k (name, position);
    RETURN QUERY EXECUTE format(
        'SELECT l.* FROM %s AS l WHERE EXISTS '
        '(SELECT FROM sterna.%I AS j WHERE ($1 IS NULL OR j.operation = $1) AND %s)',
        source, 'journal_' || source::oid, is_same
    ) USING operation;
END
$$;
REVOKE ALL ON FUNCTION sterna.written_rows(anyelement, "char") FROM PUBLIC;

-- Whether a column was changed in any row since the table's journal began.
CREATE OR REPLACE FUNCTION sterna.was_changed(source oid, column_name name) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    at integer;
    found boolean := false;
BEGIN
    SELECT pg_catalog.array_position(c.value_columns, column_name) INTO at
    FROM sterna.journaled_columns(source) AS c;
    IF at IS NOT NULL
        AND pg_catalog.to_regclass(format('sterna.%I', 'journal_' || source)) IS NOT NULL
    THEN
        EXECUTE format(
            'SELECT EXISTS (SELECT FROM sterna.%I WHERE pg_catalog.get_bit(changed, %s) = 1)',
            'journal_' || source, at - 1
        ) INTO found;
    END IF;
    RETURN found;
END
$$;
REVOKE ALL ON FUNCTION sterna.was_changed(oid, name) FROM PUBLIC;

-- Creates the journal of a table: a table of the keys that were written to, with the table's
-- own types, and the trigger function that fills it. The function runs with the rights of the
-- ledger's owner, because roles that write to the table have none here; it uses no cast,
-- operator or function that a user may have defined.
CREATE OR REPLACE FUNCTION sterna.make_journal(source regclass) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    journal CONSTANT text := format('sterna.%I', 'journal_' || source::oid);
    column_count integer;
    definitions text;
    names text;
    old_keys text;
    new_keys text;
    is_same text;
    -- In the order of the table's columns: a partition may have them in another one.
    gone text;
BEGIN
    SELECT string_agg(format('OLD.%I', a.attname), ', ' ORDER BY a.attnum) INTO gone
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped;
    SELECT
        greatest(cardinality(c.value_columns), 1),
        string_agg(
            format(
                'key_%s %s%s', k.position, format_type(a.atttypid, a.atttypmod),
                ' COLLATE ' || nullif(a.attcollation, 0)::regcollation::text
            ), ', ' ORDER BY k.position
        ),
        string_agg('key_' || k.position, ', ' ORDER BY k.position),
        string_agg(format('OLD.%I', k.name), ', ' ORDER BY k.position),
        string_agg(format('NEW.%I', k.name), ', ' ORDER BY k.position)
    INTO STRICT column_count, definitions, names, old_keys, new_keys
    FROM sterna.journaled_columns(source) AS c
    CROSS JOIN LATERAL unnest(c.key_columns) WITH ORDINALITY AS k (name, position)
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = source AND a.attname = k.name
    GROUP BY c.value_columns;
    is_same := format('pg_catalog.record_image_eq(ROW(%s), ROW(%s))', old_keys, new_keys);
    -- operation: I, U, D, or T for TRUNCATE; gone: the deleted row.
    EXECUTE format(
        'CREATE TABLE %s (xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(), '
        'operation "char" NOT NULL, changed bit(%s), gone text, %s)',
        journal, column_count, definitions
    );
    EXECUTE format('CREATE INDEX ON %s (xid)', journal);
    EXECUTE format(
        $function$CREATE FUNCTION %1$s() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
        AS $body$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO %1$s (operation, %2$s) VALUES ('I', %4$s);
            ELSIF TG_OP = 'DELETE' THEN
                INSERT INTO %1$s (operation, gone, %2$s) VALUES ('D', sterna.row_text(ROW(%7$s)), %3$s);
            ELSIF TG_OP = 'TRUNCATE' THEN
                INSERT INTO %1$s (operation) VALUES ('T');
            ELSIF %5$s THEN
                INSERT INTO %1$s (operation, changed, %2$s) VALUES ('U', %6$s, %4$s);
            ELSE
                INSERT INTO %1$s (operation, %2$s) VALUES ('D', %3$s), ('I', %4$s);
            END IF;
            RETURN NULL;
        END
        $body$
        $function$,
        journal, names, old_keys, new_keys, is_same,
        sterna.changed_columns(source, 'OLD', 'NEW'), gone
    );
    EXECUTE format('REVOKE ALL ON FUNCTION %s() FROM PUBLIC', journal);
END
$$;
REVOKE ALL ON FUNCTION sterna.make_journal(regclass) FROM PUBLIC;

-- The tables that hold the rows of a table: its partitions, or itself.
CREATE OR REPLACE FUNCTION sterna.row_holders(source oid) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT c.oid FROM pg_catalog.pg_class AS c WHERE c.oid = source AND c.relkind <> 'p'
    UNION
    SELECT t.relid FROM pg_catalog.pg_partition_tree(source) AS t WHERE t.isleaf AND t.relid <> source
$$;
REVOKE ALL ON FUNCTION sterna.row_holders(oid) FROM PUBLIC;

-- Creates the triggers of a journal. Each partition has its own: those of the partitioned table
-- would not fire when a single partition is truncated.
CREATE OR REPLACE FUNCTION sterna.arm(source oid) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    holder regclass;
BEGIN
    FOR holder IN SELECT h::regclass FROM sterna.row_holders(source) AS h LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER "!sterna_journal" AFTER INSERT OR UPDATE OR DELETE ON %1$s '
            'FOR EACH ROW EXECUTE FUNCTION sterna.%2$I(); '
            'CREATE OR REPLACE TRIGGER "!sterna_journal_truncate" AFTER TRUNCATE ON %1$s '
            'FOR EACH STATEMENT EXECUTE FUNCTION sterna.%2$I(); '
            'ALTER TABLE %1$s ENABLE ALWAYS TRIGGER "!sterna_journal", '
            'ENABLE ALWAYS TRIGGER "!sterna_journal_truncate"',
            holder, 'journal_' || source
        );
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION sterna.arm(oid) FROM PUBLIC;

-- The triggers of a journal, wherever they are: a partition keeps them when it is detached.
CREATE OR REPLACE FUNCTION sterna.journal_triggers(
    source oid, OUT holder oid, OUT name name, OUT enabled "char"
) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT t.tgrelid, t.tgname, t.tgenabled
    FROM pg_catalog.pg_proc AS p
    -- There is an index for this, and none for pg_trigger.tgfoid.
    INNER JOIN pg_catalog.pg_depend AS d
        ON d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid = p.oid
        AND d.classid = 'pg_catalog.pg_trigger'::regclass
    INNER JOIN pg_catalog.pg_trigger AS t ON t.oid = d.objid AND t.tgfoid = p.oid
    WHERE p.proname = 'journal_' || source
        AND p.pronamespace = pg_catalog.to_regnamespace('sterna')
$$;
REVOKE ALL ON FUNCTION sterna.journal_triggers(oid) FROM PUBLIC;

-- Drops the triggers of a journal.
CREATE OR REPLACE FUNCTION sterna.disarm(source oid) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT t.name, t.holder::regclass FROM sterna.journal_triggers(source) AS t LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.name, found.holder);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION sterna.disarm(oid) FROM PUBLIC;

-- The tables with rows of a table that lack one of the two triggers of its journal, or on which it
-- does not fire for every writer.
CREATE OR REPLACE FUNCTION sterna.unarmed(source oid) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT h
    FROM sterna.row_holders(source) AS h
    EXCEPT
    SELECT t.holder
    FROM sterna.journal_triggers(source) AS t
    WHERE t.enabled = 'A'
    GROUP BY t.holder
    HAVING count(*) = 2
$$;
REVOKE ALL ON FUNCTION sterna.unarmed(oid) FROM PUBLIC;

-- Whether both triggers of a journal exist wherever rows are, and fire for every writer.
CREATE OR REPLACE FUNCTION sterna.is_armed(source oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT EXISTS (SELECT FROM sterna.row_holders(source))
        AND NOT EXISTS (SELECT FROM sterna.unarmed(source))
$$;
REVOKE ALL ON FUNCTION sterna.is_armed(oid) FROM PUBLIC;

-- The state of a journal and of carrying it over in one direction; no row if there is none.
CREATE OR REPLACE FUNCTION sterna.journal_state(
    source oid, direction text,
    OUT row_count bigint, OUT added bigint, OUT removed bigint, OUT armed boolean,
    OUT waiting bigint, OUT inserted bigint, OUT deleted bigint
) RETURNS SETOF record
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    carried pg_snapshot;
BEGIN
    SELECT j.row_count, c.added, c.removed, c.applied, sterna.is_armed(j.relid)
    INTO row_count, added, removed, carried, armed
    FROM sterna.journaled AS j
    INNER JOIN sterna.carrying AS c ON c.relid = j.relid AND c.toward = direction
    WHERE j.relid = source;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    EXECUTE format(
        'SELECT count(*) FILTER (WHERE xid >= pg_catalog.pg_snapshot_xmin($1) '
        'AND NOT pg_catalog.pg_visible_in_snapshot(xid, $1)), '
        'count(*) FILTER (WHERE operation = ''I''), count(*) FILTER (WHERE operation = ''D'') '
        'FROM sterna.%I', 'journal_' || source
    ) INTO waiting, inserted, deleted USING carried;
    RETURN NEXT;
END
$$;
REVOKE ALL ON FUNCTION sterna.journal_state(oid, text) FROM PUBLIC;
