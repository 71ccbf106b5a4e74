-- Purpose: for every foreign key of another table that refers to this one ($1), the
--   statement that counts the rows that would refer to nothing in the other ($2), and
--   names one of them.
-- Lock: none, it only writes text. Transaction: either.
-- Undone by: nothing, it reads.
SELECT
    c.conname::text,
    c.conrelid::regclass::text,
    format(
        'SELECT count(*), min(%s) FROM %s AS c WHERE %s AND NOT EXISTS (SELECT FROM %s AS p WHERE %s)',
        format('(%s)::text', string_agg(format('c.%I', a.attname), ', ' ORDER BY k.position)),
        c.conrelid::regclass,
        string_agg(format('c.%I IS NOT NULL', a.attname), ' AND '),
        $2::oid::regclass,
        string_agg(format('p.%I = c.%I', f.attname, a.attname), ' AND ')
    )
FROM pg_catalog.pg_constraint AS c
CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, referred, position)
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.own
-- Numbers differ where columns were dropped; names do not.
INNER JOIN pg_catalog.pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = k.referred
WHERE c.confrelid = $1 AND c.conrelid <> $1 AND c.contype = 'f' AND c.convalidated
GROUP BY c.oid, c.conname, c.conrelid
ORDER BY 2, 1
