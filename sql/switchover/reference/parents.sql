-- Purpose: for every validated foreign key of a table or its partitions ($1) that refers to another
--   one: its name; the statement that does to the rows of the incoming table ($2) what the key would
--   have done when the row that they refer to was deleted (none if it would have prevented
--   that); a statement that keeps the values that the incoming table refers to; and one that
--   fails if one of them is gone. Under the locks only these values are looked up, not every
--   row.
-- Lock: none, it only produces text. Transaction: either. Undone by: nothing, it only reads.
SELECT
    k.name,
    CASE k.on_delete
        WHEN 'c' THEN format('DELETE FROM %s AS t WHERE %s', k.incoming, k.is_orphan)
        WHEN 'n' THEN format('UPDATE %s AS t SET %s WHERE %s', k.incoming, k.emptied, k.is_orphan)
    END,
    format(
        'CREATE TEMPORARY TABLE sterna_parents_%1$s AS SELECT DISTINCT %2$s FROM %3$s AS t '
        'WHERE %4$s; ANALYZE pg_temp.sterna_parents_%1$s',
        k.number, k.own, k.incoming, k.is_set
    ),
    format(
        'SELECT sterna.refuse(%1$L, format('
        '''%%s values of %%s that %%s refers by are gone from %%s, such as %%s'', '
        'count(*), %2$L::text, %3$L::text, %4$L::text, min(concat_ws('', '', %5$s))), NULL) '
        'FROM pg_temp.sterna_parents_%6$s AS t '
        'WHERE NOT EXISTS (SELECT FROM %4$s AS p WHERE %7$s) HAVING count(*) > 0',
        -- What the key would do can be done before the next attempt.
        CASE WHEN k.on_delete IN ('c', 'n') THEN 'SN017' ELSE 'SN019' END,
        k.name, k.incoming, k.parent, k.shown, k.number, k.is_parent
    ),
    k.on_delete = 'c'
FROM (
    SELECT
        c.conname::text AS name,
        c.confdeltype::text AS on_delete,
        c.confrelid::regclass::text AS parent,
        pair.incoming::regclass::text AS incoming,
        row_number() OVER (ORDER BY c.oid) AS number,
        string_agg(format('t.%I', a.attname), ', ' ORDER BY k.position) AS own,
        string_agg(format('t.%I IS NOT NULL', a.attname), ' AND ') AS is_set,
        string_agg(format('p.%I = t.%I', f.attname, a.attname), ' AND ') AS is_parent,
        string_agg(format('%I = NULL', a.attname), ', ' ORDER BY k.position) AS emptied,
        string_agg(format('format(''%%s'', t.%I)', a.attname), ', ' ORDER BY k.position) AS shown,
        format(
            '%s AND NOT EXISTS (SELECT FROM %s AS p WHERE %s)',
            string_agg(format('t.%I IS NOT NULL', a.attname), ' AND '),
            c.confrelid::regclass,
            string_agg(format('p.%I = t.%I', f.attname, a.attname), ' AND ')
        ) AS is_orphan
    FROM unnest($1::oid[], $2::oid[]) AS pair (live, incoming)
    INNER JOIN pg_catalog.pg_constraint AS c ON c.conrelid = pair.live
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, referred, position)
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.own
    INNER JOIN pg_catalog.pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = k.referred
    WHERE c.confrelid <> ALL ($1) AND c.contype = 'f' AND c.convalidated
        -- A key that belongs to another of these holds if that one does.
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS above
            WHERE above.oid = c.conparentid AND above.conrelid = ANY ($1)
        )
    GROUP BY c.oid, c.conname, c.confrelid, c.confdeltype, pair.incoming
) AS k
ORDER BY k.number
