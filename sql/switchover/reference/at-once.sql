-- Purpose: for every foreign key of or to the tables ($1) that is validated while others wait,
--   because it is one of or to a partitioned table: its name, and the same join with the incoming
--   tables ($2), to see how long it takes.
-- Lock: none, it only produces text. Transaction: either. Undone by: nothing, it only reads.
SELECT
    k.name,
    format('SELECT count(*) FROM %s AS c LEFT JOIN %s AS p ON %s WHERE p.%I IS NULL AND %s',
        k.child, k.parent, k.is_parent, k.key, k.is_set)
FROM (
    SELECT
        format('%I on %s', c.conname, c.conrelid::regclass) AS name,
        coalesce(own.incoming, c.conrelid)::regclass AS child,
        coalesce(referred.incoming, c.confrelid)::regclass AS parent,
        string_agg(format('p.%I = c.%I', f.attname, a.attname), ' AND ') AS is_parent,
        string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ') AS is_set,
        min(f.attname) AS key
    FROM pg_catalog.pg_constraint AS c
    LEFT JOIN unnest($1::oid[], $2::oid[]) AS own (live, incoming) ON own.live = c.conrelid
    LEFT JOIN unnest($1::oid[], $2::oid[]) AS referred (live, incoming)
        ON referred.live = c.confrelid
    INNER JOIN pg_catalog.pg_class AS r ON r.oid = coalesce(own.live, referred.live)
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k (own, referred)
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.own
    INNER JOIN pg_catalog.pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = k.referred
    WHERE c.contype = 'f' AND c.conparentid = 0 AND c.convalidated AND r.relkind = 'p'
        AND pg_catalog.current_setting('server_version_num')::integer < 180000
    GROUP BY c.oid, c.conname, c.conrelid, c.confrelid, own.incoming, referred.incoming
) AS k
ORDER BY k.name
