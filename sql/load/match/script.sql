-- Purpose: the statements that match the rows of staging ($2) with those of production ($1) by
--   the columns $3, and write them back with what they keep of production, the columns $4. In
--   the columns $5, rows without a match get production's default or a number of its own
--   sequence; the column $6 already has a value for them. Without $3 no row matches. Files of
--   the load $7 may lack columns that other files fill, given as a file number ($8) and a
--   column ($9) each: such a column counts as unfilled only for the rows of those files.
--   gather: a temporary table of the rows with what they matched, in the order in which they were
--   loaded. findings: how many there are, and keys that match more than one row. put: inserts the
--   rows into staging.
-- Lock: none, it only reads the catalog; its statements: ACCESS SHARE on production and ROW
--   EXCLUSIVE on staging.
-- Transaction: yes, all in one. Undone by: its rollback.
WITH kind AS (
    -- A row's place is unique in one table; a partitioned one has several.
    SELECT c.relkind = 'p' AS is_partitioned FROM pg_catalog.pg_class AS c WHERE c.oid = $1
),
attribute AS (
    SELECT
        s.attnum,
        quote_ident(s.attname) AS name,
        s.attname::text = ANY ($4) AS is_kept,
        s.attname::text = ANY ($4 || $5) AS is_unfilled,
        s.attname::text IS NOT DISTINCT FROM $6 AS is_made,
        s.attname::text = ANY ($9) AND s.attname::text IS DISTINCT FROM $6 AS is_partly_filled,
        array_position($3::text[], s.attname::text) AS position,
        CASE
            -- The type without its modifier: the column's own modifier is applied to the value.
            WHEN p.attidentity <> '' THEN format(
                'CAST(pg_catalog.nextval(%s::pg_catalog.oid::pg_catalog.regclass) AS %s)',
                i.objid, pg_catalog.format_type(p.atttypid, -1)
            )
            WHEN d.oid IS NOT NULL THEN format(
                'CAST((%s) AS %s)', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
                pg_catalog.format_type(p.atttypid, -1)
            )
        END AS new_value
    FROM pg_catalog.pg_attribute AS s
    INNER JOIN pg_catalog.pg_attribute AS p ON p.attrelid = $1 AND p.attname = s.attname
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = p.attrelid AND d.adnum = p.attnum
    LEFT JOIN pg_catalog.pg_depend AS i
        ON i.classid = 'pg_catalog.pg_class'::regclass
        AND i.refclassid = 'pg_catalog.pg_class'::regclass
        AND i.refobjid = p.attrelid AND i.refobjsubid = p.attnum AND i.deptype = 'i'
    WHERE s.attrelid = $2 AND s.attnum > 0 AND NOT s.attisdropped AND s.attgenerated = ''
),
part AS (
    SELECT
        string_agg(format(', s.%s AS f%s', name, attnum), '' ORDER BY attnum) AS own,
        coalesce(
            string_agg(format(', p.%s AS k%s', name, attnum), '' ORDER BY attnum)
                FILTER (WHERE is_kept), ''
        ) AS kept,
        string_agg(format('s.%s', name), ', ' ORDER BY position)
            FILTER (WHERE position IS NOT NULL) AS staging_key,
        string_agg(format('p.%s', name), ', ' ORDER BY position)
            FILTER (WHERE position IS NOT NULL) AS production_key,
        string_agg(format('l.%s', name), ', ' ORDER BY position)
            FILTER (WHERE position IS NOT NULL) AS live_key,
        string_agg(format('d.%s', name), ', ' ORDER BY position)
            FILTER (WHERE position IS NOT NULL) AS deleted_key,
        coalesce(
            string_agg(', ' || name, '' ORDER BY attnum)
                FILTER (WHERE is_kept OR position IS NOT NULL), ''
        ) AS looked_at,
        'pg_catalog.concat_ws('', ''' || coalesce(
            string_agg(format(', %L || m.f%s::text', name || ' ', attnum), '' ORDER BY position)
                FILTER (WHERE position IS NOT NULL), ', NULL'
        ) || ')' AS shown_key,
        string_agg(name, ', ' ORDER BY attnum) AS names,
        string_agg(
            CASE WHEN NOT is_unfilled THEN format('m.f%s', attnum) ELSE concat(
                'CASE WHEN m.is_settled THEN m.f', attnum,
                CASE WHEN is_partly_filled THEN format(
                    ' WHEN (%L = ANY (m.lacking)) IS NOT TRUE THEN m.f%s', name, attnum
                ) END,
                CASE WHEN is_kept THEN format(' WHEN m.found IS NOT NULL THEN m.k%s', attnum) END,
                CASE WHEN is_made THEN format(' WHEN m.f%1$s IS NOT NULL THEN m.f%1$s', attnum) END,
                ' ELSE ' || new_value, ' END'
            ) END, ', ' ORDER BY attnum
        ) AS put
    FROM attribute
)
SELECT
    -- Keys are equal if all their values are, NULL to NULL, and hashed like this the join needs
    -- no index. A row whose key is all NULL matches no other.
    format(
        'CREATE TEMPORARY TABLE sterna_match ON COMMIT DROP AS '
        'SELECT %12$ss.ctid AS at, p."sterna found" AS found, s.xmin IN (SELECT r.matched::pg_catalog.xid '
        'FROM sterna.load_run AS r WHERE r.staging = %1$s AND r.state <> ''discarded'' '
        'AND r.matched IS NOT NULL) AS is_settled%2$s%3$s%9$s FROM %4$s AS s LEFT JOIN ('
        'SELECT %13$sl.ctid AS "sterna found"%5$s FROM %14$s%6$s AS l%11$s%7$s) AS p ON %8$s%10$s '
        'ORDER BY %15$ss.ctid',
        $2::oid, own, kept, $2::oid::regclass, looked_at, $1::oid::regclass,
        -- Rows that the application deleted since the journal began: their records get the same
        -- keys, by which the deletion finds them when it is carried over. An existing row takes
        -- precedence. Their made-up ctids count down from the end of the largest possible
        -- table, where no row is. Written as a join, of which the server hashes the few deleted
        -- rows, and reads production only if there are any; with NOT EXISTS it hashes production.
        CASE WHEN staging_key IS NOT NULL THEN format(
            ' UNION ALL SELECT %6$s(''('' || (4294967294 - g."sterna number" / 60000) || '','' || (g."sterna number" %% 60000 + 1) '
            '|| '')'')::pg_catalog.tid%1$s FROM (WITH gone AS MATERIALIZED (SELECT d.*, '
            'pg_catalog.row_number() OVER () AS "sterna number" FROM sterna.deleted_rows(NULL::%3$s) AS d) '
            'SELECT DISTINCT ON (%2$s) d.* FROM gone AS d WHERE d."sterna number" NOT IN ('
            'SELECT d."sterna number" FROM gone AS d INNER JOIN %5$s%3$s AS l '
            'ON pg_catalog.hash_record_extended(ROW(%4$s), 0) = '
            'pg_catalog.hash_record_extended(ROW(%2$s), 0) '
            'AND ROW(%4$s) IS NOT DISTINCT FROM ROW(%2$s))) AS g',
            looked_at, deleted_key, $1::oid::regclass, live_key,
            CASE WHEN NOT is_partitioned THEN 'ONLY ' END,
            CASE WHEN is_partitioned THEN '0::pg_catalog.oid, ' END
        ) END,
        CASE WHEN staging_key IS NULL THEN 'false' ELSE
            format(
                'pg_catalog.hash_record_extended(ROW(%1$s), 0) = '
                'pg_catalog.hash_record_extended(ROW(%2$s), 0) '
                'AND ROW(%1$s) IS NOT DISTINCT FROM ROW(%2$s) AND NOT ROW(%1$s) IS NULL',
                staging_key, production_key
            )
        END,
        -- A row's xmin is the transaction that wrote its batch, and so identifies its file.
        CASE WHEN cardinality($8::integer[]) > 0 THEN ', b.lacking' END,
        CASE WHEN cardinality($8::integer[]) > 0 THEN format(
            ' LEFT JOIN (SELECT w.xid::pg_catalog.xid AS xid, n.lacking FROM sterna.load_batch AS w '
            'INNER JOIN (SELECT l.file, array_agg(quote_ident(l.name)) AS lacking '
            'FROM unnest(%L::integer[], %L::text[]) AS l (file, name) GROUP BY l.file) AS n '
            'ON n.file = w.file_number WHERE w.run_id = %L) AS b ON b.xid = s.xmin',
            $8, $9::text[], $7::uuid
        ) END,
        -- They match no row, and all of them have one hash, which the server could not divide.
        CASE WHEN live_key IS NOT NULL THEN format(' WHERE NOT ROW(%s) IS NULL', live_key) END,
        CASE WHEN is_partitioned THEN
            's.tableoid AS at_of, p."sterna found of" AS found_of, ' END,
        CASE WHEN is_partitioned THEN 'l.tableoid AS "sterna found of", ' END,
        CASE WHEN NOT is_partitioned THEN 'ONLY ' END,
        CASE WHEN is_partitioned THEN 's.tableoid, ' END
    ) AS gather,
    format(
        'WITH several AS MATERIALIZED (SELECT %2$s, count(*) AS found FROM pg_temp.sterna_match '
        'AS m WHERE m.found IS NOT NULL GROUP BY %2$s HAVING count(*) > 1), '
        'shared AS MATERIALIZED (SELECT %3$s FROM pg_temp.sterna_match AS m '
        'WHERE m.found IS NOT NULL GROUP BY %3$s HAVING count(*) > 1) '
        'SELECT count(*) - (SELECT coalesce(sum(n.found - 1), 0)::bigint FROM several AS n), '
        'count(*) FILTER (WHERE m.found IS NULL AND NOT m.is_settled), '
        '(SELECT count(*) FROM several), '
        '(SELECT %1$s FROM pg_temp.sterna_match AS m '
        'WHERE (%2$s) IN (SELECT %4$s FROM several AS n) ORDER BY %2$s LIMIT 1), '
        '(SELECT count(*) FROM shared), '
        '(SELECT %1$s FROM pg_temp.sterna_match AS m '
        'WHERE (%3$s) IN (SELECT n.* FROM shared AS n) ORDER BY %2$s LIMIT 1), '
        '(SELECT %1$s FROM pg_temp.sterna_match AS m '
        'WHERE m.found IS NULL AND NOT m.is_settled ORDER BY %2$s LIMIT 1) '
        'FROM pg_temp.sterna_match AS m',
        shown_key,
        CASE WHEN is_partitioned THEN 'm.at_of, ' ELSE '' END || 'm.at',
        CASE WHEN is_partitioned THEN 'm.found_of, ' ELSE '' END || 'm.found',
        CASE WHEN is_partitioned THEN 'n.at_of, ' ELSE '' END || 'n.at'
    ) AS findings,
    -- In the order of the temporary table, which nobody else reads: sorting here would need space
    -- for the sort beside that for the old, the temporary and the new rows.
    format(
        'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM pg_temp.sterna_match AS m',
        $2::oid::regclass, names, put
    ) AS put
FROM part, kind
