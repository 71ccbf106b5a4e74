-- Purpose: the sequences that the columns of a table draw from, owned or not, and whether the
--   switchover sets each ahead of the rows when staging takes the table's place: it does so for
--   a column's identity, and for an owned sequence whose column's last number an index finds.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    a.attname::text,
    n.nspname::text,
    s.relname::text,
    bool_or(
        p.deptype = 'i'
        OR p.deptype = 'a' AND EXISTS (
            SELECT FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND i.indisvalid
                AND i.indpred IS NULL
        )
    )
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
INNER JOIN pg_catalog.pg_depend AS p
    ON (p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
        AND p.refclassid = 'pg_catalog.pg_class'::regclass)
    OR (p.classid = 'pg_catalog.pg_class'::regclass AND p.refobjid = a.attrelid
        AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i'))
INNER JOIN pg_catalog.pg_class AS s ON s.oid IN (p.objid, p.refobjid) AND s.relkind = 'S'
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
    -- For a domain, its base type.
    AND coalesce(nullif(t.typbasetype, 0), t.oid)
        = ANY ('{smallint,integer,bigint,numeric}'::regtype[])
GROUP BY a.attname, n.nspname, s.relname
ORDER BY 1, 2, 3
