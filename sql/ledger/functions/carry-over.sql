-- Purpose: the function that carries recorded writes over. Functions hold no state, so every
--   upgrade replaces them.
-- Lock: none. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE.

-- Brings the rows of `target` that were written to in `source` into their current state: rows
-- that are gone are deleted, missing rows are inserted, and rows in both tables get the columns
-- that changed since they were last carried over, or all columns if the row was inserted.
-- Neither the order of the writes nor their number per row matters.
CREATE OR REPLACE FUNCTION sterna.carry_over(
    source regclass, target regclass, direction text,
    OUT entries bigint, OUT inserted bigint, OUT updated bigint, OUT deleted bigint
)
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    journal CONSTANT text := format('sterna.%I', 'journal_' || source::oid);
    carried pg_snapshot;
    shown pg_snapshot;
    was_emptied boolean;
    -- Which writes are carried over, and where the others are saved.
    keep text;
    left_in oid;
    -- For the key: its names in the journal, the join conditions with the source and the
    -- target.
    names text;
    is_source text;
    is_target text;
    key_shown text;
    -- All writable columns, by name: their numbers may differ between the two tables.
    columns text;
    present text;
    merged text;
    assignments text;
    misfits text;
    misfit text;
BEGIN
    entries := 0; inserted := 0; updated := 0; deleted := 0;
    SELECT c.applied, c.keep, (
        SELECT s.left_relid FROM sterna.switchover AS s
        WHERE s.new_relid = c.relid AND s.state = 'switched' AND c.toward = 'old'
    )
    INTO carried, keep, left_in
    FROM sterna.carrying AS c WHERE c.relid = source AND c.toward = direction;
    shown := pg_catalog.pg_current_snapshot();
    SELECT
        string_agg('j.key_' || k.position, ', ' ORDER BY k.position),
        string_agg(format('l.%I = x.key_%s', k.name, k.position), ' AND '),
        string_agg(format('t.%I = x.key_%s', k.name, k.position), ' AND '),
        string_agg(format('%1$L || '' '' || format(''%%s'', l.%1$I)', k.name),
            ' || '', '' || ' ORDER BY k.position)
    INTO names, is_source, is_target, key_shown
    FROM sterna.journaled_columns(source) AS c
    CROSS JOIN LATERAL unnest(c.key_columns) WITH ORDINALITY AS k (name, position);
    EXECUTE format(
        'CREATE TEMPORARY TABLE sterna_touched AS '
        'SELECT %1$s, count(*) AS entries, bool_or(j.operation = ''I'') AS inserted, '
        'bool_or(j.operation = ''T'') AS emptied, bit_or(j.changed) AS changed '
        'FROM %2$s AS j WHERE j.xid >= %3$L::xid8 '
        'AND NOT pg_catalog.pg_visible_in_snapshot(j.xid, %4$L) '
        'AND pg_catalog.pg_visible_in_snapshot(j.xid, %5$L) GROUP BY %1$s',
        names, journal, pg_catalog.pg_snapshot_xmin(carried), carried, shown
    );
    SELECT coalesce(sum(x.entries), 0), bool_or(x.emptied)
    INTO entries, was_emptied FROM pg_temp.sterna_touched AS x;
    IF entries = 0 THEN
        DROP TABLE pg_temp.sterna_touched;
        RETURN;
    END IF;
    -- Nor may its owner make a table with a trigger a child or a partition of it meanwhile.
    IF EXISTS (
        SELECT FROM pg_catalog.pg_class AS c
        WHERE c.oid = target AND c.relowner <> current_user::regrole::oid
    ) THEN
        EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', target);
    END IF;
    PERFORM sterna.guarded(target);
    IF was_emptied THEN
        RAISE EXCEPTION '% was truncated %', source, CASE direction
            WHEN 'old' THEN
                format('since the switchover, so its rows cannot be carried back to %s', target)
            ELSE 'while it was being replaced'
        END USING ERRCODE = 'SN001';
    END IF;
    IF left_in IS NOT NULL THEN
        PERFORM sterna.leave_behind(source, keep, left_in::regclass);
    END IF;
    ANALYZE pg_temp.sterna_touched;
    SELECT
        string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum),
        string_agg(format('l.%I', a.attname), ', ' ORDER BY a.attnum),
        string_agg(
            CASE WHEN v.position IS NULL THEN format('l.%I', a.attname) ELSE format(
                'CASE WHEN x.inserted OR t.%2$I IS NULL OR pg_catalog.get_bit(x.changed, %3$s) = 1 '
                'THEN l.%1$I ELSE t.%1$I END AS %1$I', a.attname, c.key_columns[1], v.position - 1
            ) END, ', ' ORDER BY a.attnum
        ),
        string_agg(
            format(
                '%1$I = CASE WHEN x.inserted OR pg_catalog.get_bit(x.changed, %2$s) = 1 '
                'THEN l.%1$I ELSE t.%1$I END', a.attname, v.position - 1
            ), ', ' ORDER BY a.attnum
        ) FILTER (WHERE v.position IS NOT NULL AND a.attidentity <> 'a'),
        -- Only numeric columns can have been widened; values that do not fit the narrower
        -- column exactly would be rounded or refused.
        string_agg(
            format(
                'CASE WHEN (x.inserted OR t.%2$I IS NULL OR pg_catalog.get_bit(x.changed, %3$s) = 1) '
                'AND l.%1$I <> ''NaN'' AND (l.%1$I <> pg_catalog.round(l.%1$I, %5$s) '
                'OR pg_catalog.abs(l.%1$I) >= 10::numeric ^ %4$s) '
                'THEN %1$L || '' '' || l.%1$I::text END',
                a.attname, c.key_columns[1], v.position - 1,
                ((a.atttypmod - 4) >> 16 & 65535) - ((((a.atttypmod - 4) & 2047) # 1024) - 1024),
                (((a.atttypmod - 4) & 2047) # 1024) - 1024
            ), ', ' ORDER BY a.attnum
        ) FILTER (WHERE a.atttypid = 'pg_catalog.numeric'::regtype AND a.atttypmod <> -1
            AND s.atttypmod <> a.atttypmod)
    INTO columns, present, merged, assignments, misfits
    FROM sterna.journaled_columns(source) AS c
    CROSS JOIN pg_catalog.pg_attribute AS a
    INNER JOIN pg_catalog.pg_attribute AS s ON s.attrelid = source AND s.attname = a.attname
    LEFT JOIN LATERAL unnest(c.value_columns) WITH ORDINALITY AS v (name, position)
        ON v.name = a.attname
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    IF misfits IS NOT NULL THEN
        EXECUTE format(
            'SELECT string_agg(m.key || '': '' || m.what, ''; '' ORDER BY m.key) FROM ('
            'SELECT %s AS key, nullif(concat_ws('', '', %s), '''') AS what '
            'FROM pg_temp.sterna_touched AS x INNER JOIN %s AS l ON %s LEFT JOIN %s AS t ON %s '
            ') AS m WHERE m.what IS NOT NULL',
            key_shown, misfits, source, is_source, target, is_target
        ) INTO misfit;
        IF misfit IS NOT NULL THEN
            RAISE EXCEPTION 'what was written cannot be held exactly by the other table: %',
                CASE WHEN length(misfit) > 1000 THEN left(misfit, 1000) || ' ...' ELSE misfit END
                USING ERRCODE = 'SN002';
        END IF;
    END IF;
    SET CONSTRAINTS ALL DEFERRED;
    BEGIN
        EXECUTE format(
            'DELETE FROM %s AS t USING pg_temp.sterna_touched AS x '
            'WHERE %s AND NOT EXISTS (SELECT FROM %s AS l WHERE %s)',
            target, is_target, source, is_source
        );
        GET DIAGNOSTICS deleted = ROW_COUNT;
        IF assignments IS NOT NULL THEN
            EXECUTE format(
                'UPDATE %s AS t SET %s FROM pg_temp.sterna_touched AS x INNER JOIN %s AS l ON %s '
                'WHERE %s',
                target, assignments, source, is_source, is_target
            );
            GET DIAGNOSTICS updated = ROW_COUNT;
        END IF;
        EXECUTE format(
            'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s '
            'FROM pg_temp.sterna_touched AS x INNER JOIN %s AS l ON %s '
            'WHERE NOT EXISTS (SELECT FROM %s AS t WHERE %s)',
            target, columns, present, source, is_source, target, is_target
        );
        GET DIAGNOSTICS inserted = ROW_COUNT;
    EXCEPTION WHEN unique_violation OR exclusion_violation THEN
        -- Values may have been swapped between rows: delete all before inserting any.
        EXECUTE format(
            'CREATE TEMPORARY TABLE sterna_moving AS SELECT %s '
            'FROM pg_temp.sterna_touched AS x INNER JOIN %s AS l ON %s LEFT JOIN %s AS t ON %s',
            merged, source, is_source, target, is_target
        );
        EXECUTE format(
            'DELETE FROM %s AS t USING pg_temp.sterna_touched AS x WHERE %s', target, is_target
        );
        GET DIAGNOSTICS deleted = ROW_COUNT;
        EXECUTE format(
            'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT * FROM pg_temp.sterna_moving',
            target, columns
        );
        GET DIAGNOSTICS inserted = ROW_COUNT;
        updated := 0;
        DROP TABLE pg_temp.sterna_moving;
    END;
    DROP TABLE pg_temp.sterna_touched;
    UPDATE sterna.carrying AS c
    SET applied = shown,
        entries = c.entries + carry_over.entries,
        added = c.added + carry_over.inserted,
        removed = c.removed + carry_over.deleted,
        carried_at = clock_timestamp()
    WHERE c.relid = source AND c.toward = direction;
END
$$;
REVOKE ALL ON FUNCTION sterna.carry_over(regclass, regclass, text) FROM PUBLIC;
