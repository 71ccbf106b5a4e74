-- Purpose: the ledger functions that a rollback needs besides those of the journal: what was
--   written since the switchover, and what is left behind. They hold no state, so every upgrade
--   replaces them.
-- Lock: none. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE.

-- Conditions and column lists for the key of a journaled table. Aliases: j for the journal, l
-- for the live table, t for the other table, x for selected keys.
CREATE OR REPLACE FUNCTION sterna.journaled_key(
    source regclass,
    OUT names text, OUT picked text, OUT is_source text, OUT is_target text, OUT is_journal text,
    OUT first_column name
)
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT
        string_agg('key_' || k.position, ', ' ORDER BY k.position),
        string_agg(format('l.%I', k.name), ', ' ORDER BY k.position),
        string_agg(format('l.%I = x.key_%s', k.name, k.position), ' AND '),
        string_agg(format('t.%I = x.key_%s', k.name, k.position), ' AND '),
        string_agg(format('j.key_%1$s = x.key_%1$s', k.position), ' AND '),
        c.key_columns[1]
    FROM sterna.journaled_columns(source) AS c
    CROSS JOIN LATERAL unnest(c.key_columns) WITH ORDINALITY AS k (name, position)
    GROUP BY c.key_columns
$$;
REVOKE ALL ON FUNCTION sterna.journaled_key(regclass) FROM PUBLIC;

-- How many rows were inserted, updated and deleted since a table went live; how many of the
-- updated ones are missing from the table that it replaced; and whether it was truncated.
CREATE OR REPLACE FUNCTION sterna.written_since(
    source regclass, target regclass,
    OUT inserted bigint, OUT updated bigint, OUT deleted bigint, OUT only_in_new bigint,
    OUT truncated boolean
)
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    k CONSTANT record := sterna.journaled_key(source);
    began pg_snapshot;
BEGIN
    SELECT c.since INTO began
    FROM sterna.carrying AS c WHERE c.relid = source AND c.toward = 'old';
    EXECUTE format(
        'SELECT count(*) FILTER (WHERE x.inserted AND l.%1$I IS NOT NULL), '
        'count(*) FILTER (WHERE NOT x.inserted AND l.%1$I IS NOT NULL), '
        'count(*) FILTER (WHERE NOT x.inserted AND l.%1$I IS NULL), '
        'count(*) FILTER (WHERE NOT x.inserted AND l.%1$I IS NOT NULL AND t.%1$I IS NULL) '
        'FROM (SELECT %2$s, bool_or(j.operation = ''I'') AS inserted FROM sterna.%3$I AS j '
        'WHERE j.operation IN (''I'', ''U'', ''D'') '
        'AND NOT pg_catalog.pg_visible_in_snapshot(j.xid, $1) GROUP BY %2$s) AS x '
        'LEFT JOIN %4$s AS l ON %5$s LEFT JOIN %6$s AS t ON %7$s',
        k.first_column, k.names, 'journal_' || source::oid, source, k.is_source,
        target, k.is_target
    ) INTO inserted, updated, deleted, only_in_new USING began;
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM sterna.%I AS j WHERE j.operation = ''T'' '
        'AND NOT pg_catalog.pg_visible_in_snapshot(j.xid, $1))', 'journal_' || source::oid
    ) INTO truncated USING began;
END
$$;
REVOKE ALL ON FUNCTION sterna.written_since(regclass, regclass) FROM PUBLIC;

-- Queries, as text, for the keys of rows that only the new release has and that rows of other
-- tables refer to: one query per foreign key to the table or to one of its partitions.
CREATE OR REPLACE FUNCTION sterna.referred_queries(source regclass, target regclass)
RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    WITH tree AS (
        SELECT source::oid AS oid
        UNION
        SELECT t.relid FROM pg_catalog.pg_partition_tree(source) AS t
    )
    SELECT format(
        'SELECT %s FROM %s AS l WHERE EXISTS (SELECT FROM %s AS c WHERE %s) '
        'AND NOT EXISTS (SELECT FROM %s AS t WHERE %s%s)',
        k.picked, c.confrelid::regclass, c.conrelid::regclass,
        string_agg(format('c.%I = l.%I', a.attname, f.attname), ' AND '),
        target,
        string_agg(format('t.%1$I = l.%1$I', f.attname), ' AND '),
        place.is_same
    )
    FROM pg_catalog.pg_constraint AS c
    CROSS JOIN sterna.journaled_key(source) AS k
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS pair (own, referred)
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = pair.own
    INNER JOIN pg_catalog.pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = pair.referred
    -- A row of another partition of the target does not stand for one of this partition.
    CROSS JOIN LATERAL (
        SELECT string_agg(format(' AND t.%1$I = l.%1$I', n.attname), '') AS is_same
        FROM pg_catalog.pg_partition_ancestors(c.confrelid) AS above
        INNER JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = above.relid
        CROSS JOIN LATERAL unnest(p.partattrs::int2[]) AS by (attnum)
        INNER JOIN pg_catalog.pg_attribute AS n
            ON n.attrelid = p.partrelid AND n.attnum = by.attnum
        WHERE c.confrelid <> source
    ) AS place
    WHERE c.confrelid IN (SELECT oid FROM tree) AND c.conrelid NOT IN (SELECT oid FROM tree)
        AND c.contype = 'f'
        -- A key that belongs to another of these finds no other rows.
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS top
            WHERE top.oid = c.conparentid AND top.confrelid IN (SELECT oid FROM tree)
        )
    GROUP BY c.oid, c.conrelid, c.confrelid, k.picked, place.is_same
$$;
REVOKE ALL ON FUNCTION sterna.referred_queries(regclass, regclass) FROM PUBLIC;

-- The number of these rows.
CREATE OR REPLACE FUNCTION sterna.count_referred(source regclass, target regclass) RETURNS bigint
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    queries CONSTANT text := (
        SELECT string_agg(q, ' UNION ') FROM sterna.referred_queries(source, target) AS q
    );
    row_count bigint := 0;
BEGIN
    IF queries IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM (%s) AS referred', queries) INTO row_count;
    END IF;
    RETURN row_count;
END
$$;
REVOKE ALL ON FUNCTION sterna.count_referred(regclass, regclass) FROM PUBLIC;

-- Has these rows carried over, whatever else is left behind: adds them to the journal as R.
CREATE OR REPLACE FUNCTION sterna.carry_referred(source regclass, target regclass) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    k CONSTANT record := sterna.journaled_key(source);
    query text;
BEGIN
    FOR query IN SELECT q FROM sterna.referred_queries(source, target) AS q LOOP
        EXECUTE format(
            'INSERT INTO sterna.%I (operation, %s) SELECT ''R'', r.* FROM (%s) AS r',
            'journal_' || source::oid, k.names, query
        );
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION sterna.carry_referred(regclass, regclass) FROM PUBLIC;

-- Removes the writes to be left behind from those about to be carried over, and saves them in
-- the table `beside`: the current row, or the last state of a deleted one.
CREATE OR REPLACE FUNCTION sterna.leave_behind(source regclass, keep text, beside regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = '' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'iso_8601'
SET lc_monetary = 'C' SET array_nulls = on
AS $$
DECLARE
    k CONSTANT record := sterna.journaled_key(source);
    journal CONSTANT text := format('sterna.%I', 'journal_' || source::oid);
    columns text;
    present text;
    gone text;
BEGIN
    EXECUTE format(
        'CREATE TEMPORARY TABLE sterna_left AS SELECT x.*, (SELECT bool_or(j.operation = ''I'') '
        'FROM %1$s AS j WHERE %2$s) AS came FROM pg_temp.sterna_touched AS x '
        'WHERE NOT EXISTS (SELECT FROM %1$s AS j WHERE %2$s AND (j.operation = ''R''%3$s))',
        journal, k.is_journal,
        -- A changed key is a delete and an insert: both are carried over.
        CASE keep WHEN 'inserted'
            THEN ' OR j.operation = ''I'' OR (j.operation = ''D'' AND j.gone IS NULL)' ELSE '' END
    );
    EXECUTE format(
        'DELETE FROM pg_temp.sterna_touched AS j USING pg_temp.sterna_left AS x WHERE %s',
        k.is_journal
    );
    EXECUTE format(
        'DELETE FROM %s AS t USING pg_temp.sterna_left AS x WHERE %s', beside, k.is_target
    );
    SELECT
        string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum),
        string_agg(format('l.%I', a.attname), ', ' ORDER BY a.attnum)
    INTO columns, present
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped;
    EXECUTE format(
        'INSERT INTO %s (sterna_operation, %s) '
        'SELECT CASE WHEN x.came THEN ''insert'' ELSE ''update'' END, %s '
        'FROM pg_temp.sterna_left AS x INNER JOIN %s AS l ON %s',
        beside, columns, present, source, k.is_source
    );
    FOR gone IN EXECUTE format(
        'SELECT DISTINCT ON (%1$s) j.gone FROM pg_temp.sterna_left AS x '
        'INNER JOIN %2$s AS j ON %3$s WHERE NOT coalesce(x.came, false) '
        'AND j.operation = ''D'' AND j.gone IS NOT NULL '
        'AND NOT EXISTS (SELECT FROM %4$s AS l WHERE %5$s) ORDER BY %1$s, j.xid DESC',
        (SELECT string_agg('x.' || n, ', ') FROM pg_catalog.regexp_split_to_table(k.names, ', ') AS n),
        journal, k.is_journal, source, k.is_source
    ) LOOP
        -- A literal goes through the type's input function, never through a cast.
        EXECUTE format(
            'INSERT INTO %s (sterna_operation, %s) '
            'SELECT ''delete'', %s FROM (SELECT (r.whole).* FROM (SELECT %L::%s AS whole) AS r) AS l',
            beside, columns, present, gone, source
        );
    END LOOP;
    DROP TABLE pg_temp.sterna_left;
END
$$;
REVOKE ALL ON FUNCTION sterna.leave_behind(regclass, text, regclass) FROM PUBLIC;

-- Rows written since a switchover that the journal does not know of, because an ALTER TABLE
-- rewrote the table: their number, and one of them.
CREATE OR REPLACE FUNCTION sterna.unrecorded(
    source regclass, switchover uuid, OUT row_count bigint, OUT example text
)
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    k CONSTANT record := sterna.journaled_key(source);
    began pg_snapshot;
    exchanged xid;
    counted xid;
BEGIN
    row_count := 0;
    SELECT c.since INTO began
    FROM sterna.carrying AS c WHERE c.relid = source AND c.toward = 'old';
    -- The exchange wrote the first of these rows, and the step right after it the second. What
    -- lies between them are the last writes that were carried over, in a subtransaction.
    SELECT a.xmin INTO exchanged
    FROM sterna.switchover_activity AS a WHERE a.switchover_id = switchover;
    SELECT j.xmin INTO counted
    FROM sterna.journaled AS j WHERE j.relid = source AND j.row_count IS NOT NULL;
    IF exchanged IS NULL OR counted IS NULL THEN
        -- sterna was killed in between: the two cannot be distinguished.
        RETURN;
    END IF;
    EXECUTE format(
        'SELECT count(*), min(concat_ws('', '', %1$s)) FROM %2$s AS l '
        'WHERE (pg_catalog.age(l.xmin) <= pg_catalog.age($1) OR l.xmin = ANY ($3)) '
        'AND NOT pg_catalog.age(l.xmin) BETWEEN pg_catalog.age($4) AND pg_catalog.age($2) '
        'AND NOT EXISTS (SELECT FROM sterna.%3$I AS x WHERE %4$s)',
        (SELECT string_agg('format(''%s'', ' || n || ')', ', ')
            FROM pg_catalog.regexp_split_to_table(k.picked, ', ') AS n),
        source, 'journal_' || source::oid, k.is_source
    ) INTO row_count, example
    USING pg_catalog.xid(pg_catalog.pg_snapshot_xmax(began)), exchanged,
        ARRAY(SELECT pg_catalog.xid(x) FROM pg_catalog.pg_snapshot_xip(began) AS x), counted;
END
$$;
REVOKE ALL ON FUNCTION sterna.unrecorded(regclass, uuid) FROM PUBLIC;
