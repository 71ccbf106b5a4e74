-- Purpose: sequences owned by a column that are not its identity: statements that detach them,
--   so that they are not dropped with the old table, and that attach them to the column of the
--   same name again, ahead of all rows: never back, and only if an index finds the last row at
--   once. Nobody draws numbers in the meantime, and sessions lose the numbers that they have
--   cached.
-- Lock: none, it only reads the catalog; its statements: SHARE ROW EXCLUSIVE on the sequences.
-- Transaction: either. A rollback does not give back numbers that were skipped.
-- Undone by: nothing, it only reads.
SELECT
    ARRAY[format('ALTER SEQUENCE %s OWNED BY NONE%s', q.name, q.reserve)],
    ARRAY[format('ALTER SEQUENCE %s OWNED BY %s.%I', q.name, q.table_name, q.column_name)]
    || CASE WHEN q.is_set THEN ARRAY[format(
        'SELECT pg_catalog.setval(%1$L, r.last) FROM %1$s AS s, (SELECT %2$s(%3$I)::bigint AS last '
        'FROM %4$s WHERE %3$I BETWEEN %5$L::bigint AND %6$L::bigint) AS r '
        'WHERE r.last %7$s s.last_value OR r.last = s.last_value AND NOT s.is_called',
        q.name, q.last, q.column_name, q.table_name, q.seqmin, q.seqmax, q.is_ahead
    )] ELSE '{}' END
FROM (
    SELECT
        d.objid::regclass AS name,
        d.refobjid::regclass AS table_name,
        a.attname AS column_name,
        s.seqmin,
        s.seqmax,
        CASE WHEN s.seqcache > 1 THEN ' CACHE ' || s.seqcache END AS reserve,
        CASE WHEN s.seqincrement > 0 THEN 'max' ELSE 'min' END AS last,
        CASE WHEN s.seqincrement > 0 THEN '>' ELSE '<' END AS is_ahead,
        -- For a domain, its base type.
        coalesce(nullif(t.typbasetype, 0), t.oid)
            = ANY ('{smallint,integer,bigint,numeric}'::regtype[])
        AND EXISTS (
            SELECT FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = d.refobjid AND i.indkey[0] = a.attnum AND i.indisvalid
                AND i.indpred IS NULL
        ) AS is_set
    FROM pg_catalog.pg_depend AS d
    INNER JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = d.objid
    INNER JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    INNER JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass
        AND d.refclassid = 'pg_catalog.pg_class'::regclass
        AND d.refobjid = $1
        AND d.deptype = 'a'
) AS q
ORDER BY q.name::text
