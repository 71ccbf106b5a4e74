-- Purpose: for every foreign key of another table that refers to this one or its partitions ($1):
--   the child, a statement that keeps the rows of this table that the incoming one ($2) lacks, and one that
--   fails if a row of the child refers to one of them. Under the locks only those few have to
--   be looked up, not every row.
-- Lock: none, it only produces text. Transaction: either. Undone by: nothing, it only reads.
SELECT
    k.child,
    format(
        'CREATE TEMPORARY TABLE sterna_missing_%1$s AS SELECT DISTINCT %2$s FROM %3$s AS l '
        'WHERE NOT EXISTS (SELECT FROM %4$s AS p WHERE %5$s); '
        'ANALYZE pg_temp.sterna_missing_%1$s',
        k.number, k.referred, k.live, k.incoming, k.is_live
    ),
    format(
        'SELECT sterna.refuse(''SN014'', format('
        '''%%s rows of %%s refer by %%s to rows that %%s does not have, such as %%s'', '
        'count(*), %1$L::text, %2$L::text, %3$L::text, min(concat_ws('', '', %4$s))), NULL) '
        'FROM pg_temp.sterna_missing_%5$s AS m INNER JOIN %1$s AS c ON %6$s '
        'WHERE NOT EXISTS (SELECT FROM %3$s AS p WHERE %7$s) HAVING count(*) > 0',
        k.child_name, k.name, k.incoming, k.shown, k.number, k.is_child, k.is_missing
    )
FROM (
    SELECT
        c.conrelid AS child,
        c.conrelid::regclass::text AS child_name,
        c.conname::text AS name,
        pair.live::regclass::text AS live,
        pair.incoming::regclass::text AS incoming,
        row_number() OVER (ORDER BY c.oid) AS number,
        string_agg(format('l.%I', f.attname), ', ' ORDER BY k.position) AS referred,
        string_agg(format('p.%1$I = l.%1$I', f.attname), ' AND ') AS is_live,
        string_agg(format('p.%1$I = m.%1$I', f.attname), ' AND ') AS is_missing,
        string_agg(format('c.%I = m.%I', a.attname, f.attname), ' AND ') AS is_child,
        string_agg(format('format(''%%s'', c.%I)', a.attname), ', ' ORDER BY k.position) AS shown
    FROM unnest($1::oid[], $2::oid[]) AS pair (live, incoming)
    INNER JOIN pg_catalog.pg_constraint AS c ON c.confrelid = pair.live
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, referred, position)
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.own
    -- Numbers differ where columns were dropped; names do not.
    INNER JOIN pg_catalog.pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = k.referred
    WHERE c.conrelid <> ALL ($1) AND c.contype = 'f' AND c.convalidated
        -- A key that belongs to another of these holds if that one does.
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS above
            WHERE above.oid = c.conparentid AND above.confrelid = ANY ($1)
        )
    GROUP BY c.oid, c.conname, c.conrelid, pair.live, pair.incoming
) AS k
ORDER BY k.number
