-- Purpose: the columns of the table and of the relations that depend on it, each with its
--   position among the remaining columns, so that dropped ones do not show.
-- Lock: that of scope.sql. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'column',
    format('%s.%I', i.identity, a.attname),
    concat_ws(
        E'\n',
        'position: ' || row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
        'type: ' || format_type(a.atttypid, a.atttypmod),
        'collation: ' || nullif(a.attcollation, 0)::regcollation,
        'not null: ' || nullif(a.attnotnull, false),
        'default: ' || pg_get_expr(d.adbin, d.adrelid),
        'identity: ' || nullif(a.attidentity, '')::text,
        'generated: ' || nullif(a.attgenerated, '')::text,
        'storage: ' || a.attstorage::text,
        'compression: ' || nullif(a.attcompression, '')::text,
        -- "As the server's default" is -1 before PostgreSQL 17, and NULL since.
        'statistics target: ' || nullif(a.attstattarget, -1),
        'options: ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions) AS o),
        'inherited: ' || nullif(a.attinhcount, 0)
    )
FROM pg_class AS c
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, c.oid, 0) AS i
WHERE
    c.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_class'::regclass))
    AND c.relkind NOT IN ('i', 'I', 't', 'S')
