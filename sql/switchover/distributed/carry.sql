-- Purpose: the statements that find the rows of the live table ($1) which differ from its copy
--   ($2), and carry them over to other tables ($4) with the same columns; $3 is the list of their
--   keys. A row that both tables have gets only the columns that were changed. The answer has the
--   columns of that list, the statement that fills it, those that carry over, one that counts the
--   rows inserted, changed and deleted, and one that counts the changed ones that the first table
--   of $4 lacks.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH key AS (
    SELECT
        string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS columns,
        min(quote_ident(a.attname)) AS one,
        string_agg(
            format('%I %s%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE '
                    || a.attcollation::regcollation::text ELSE '' END),
            ', ' ORDER BY k.place
        ) AS definitions,
        string_agg(format('l.%1$I = c.%1$I', a.attname), ' AND ' ORDER BY k.place) AS l_is_c,
        string_agg(format('b.%1$I = c.%1$I', a.attname), ' AND ' ORDER BY k.place) AS b_is_c,
        string_agg(format('n.%1$I = c.%1$I', a.attname), ' AND ' ORDER BY k.place) AS n_is_c,
        array_agg(a.attnum) AS numbers
    FROM pg_catalog.pg_index AS i
    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    INNER JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE i.indrelid = $1 AND i.indisprimary AND k.place <= i.indnkeyatts
),
other AS (
    SELECT
        string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns,
        string_agg('l.' || quote_ident(a.attname), ', ' ORDER BY a.attnum) AS of_l,
        string_agg(
            format('%1$I = CASE WHEN b.%2$s IS NULL OR pg_catalog.record_image_ne(ROW(l.%1$I), '
                'ROW(b.%1$I)) THEN l.%1$I ELSE n.%1$I END', a.attname, key.one),
            ', ' ORDER BY a.attnum
        ) FILTER (WHERE NOT a.attnum = ANY (key.numbers)) AS changes
    FROM pg_catalog.pg_attribute AS a
    CROSS JOIN key
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
),
differing AS (
    SELECT format(
        'FROM %s AS l FULL JOIN %s AS b USING (%s) '
        'WHERE l.%s IS NULL OR b.%4$s IS NULL OR pg_catalog.record_image_ne(l, b)',
        $1::oid::regclass, $2::text, key.columns, key.one
    ) AS rows
    FROM key
)
SELECT
    format('%s, PRIMARY KEY (%s)', key.definitions, key.columns),
    format('INSERT INTO %s (%s) SELECT %2$s %s', $3::text, key.columns, differing.rows),
    ARRAY(
        SELECT statement
        FROM unnest($4::text[]) WITH ORDINALITY AS n (name, place)
        CROSS JOIN LATERAL (
            VALUES
            (1, format(
                'DELETE FROM %s AS n USING %s AS c WHERE %s '
                'AND NOT EXISTS (SELECT 1 FROM %s AS l WHERE %s)',
                n.name, $3::text, key.n_is_c, $1::oid::regclass, key.l_is_c
            )),
            (2, format(
                'UPDATE %s AS n SET %s FROM %s AS c INNER JOIN %s AS l ON %s '
                'LEFT JOIN %s AS b ON %s WHERE %s',
                n.name, other.changes, $3::text, $1::oid::regclass, key.l_is_c,
                $2::text, key.b_is_c, key.n_is_c
            )),
            (3, format(
                'INSERT INTO %s (%s) SELECT %s FROM %s AS c INNER JOIN %s AS l ON %s '
                'ON CONFLICT (%s) DO NOTHING',
                n.name, other.columns, other.of_l, $3::text, $1::oid::regclass, key.l_is_c,
                key.columns
            ))
        ) AS statements (position, statement)
        WHERE position <> 2 OR other.changes IS NOT NULL
        ORDER BY n.place, position
    ),
    format(
        'SELECT count(*) FILTER (WHERE b.%1$s IS NULL), '
        'count(*) FILTER (WHERE l.%1$s IS NOT NULL AND b.%1$s IS NOT NULL), '
        'count(*) FILTER (WHERE l.%1$s IS NULL) %2$s',
        key.one, differing.rows
    ),
    format(
        'SELECT count(*) FROM %s AS c INNER JOIN %s AS b ON %s LEFT JOIN %s AS n ON %s '
        'WHERE n.%s IS NULL AND pg_catalog.record_image_ne(c, b)',
        $1::oid::regclass, $2::text, key.b_is_c, ($4::text[])[1], key.n_is_c, key.one
    )
FROM key, other, differing
