-- Purpose: the table and each relation that depends on it or is owned by a column of it:
--   everything not covered by its columns, indexes and so on. The last value of a sequence is
--   left out: it is data.
-- Lock: that of scope.sql. Transaction: either. Undone by: nothing, it only reads.
SELECT
    CASE c.relkind
        WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view'
        WHEN 'S' THEN 'sequence'
        ELSE 'table'
    END AS kind,
    i.identity AS key,
    concat_ws(
        E'\n',
        'kind: ' || c.relkind::text,
        'persistence: ' || c.relpersistence::text,
        'owner: ' || pg_get_userbyid(c.relowner),
        'access method: ' || (SELECT am.amname FROM pg_am AS am WHERE am.oid = c.relam),
        'tablespace: ' || (SELECT t.spcname FROM pg_tablespace AS t WHERE t.oid = c.reltablespace),
        'row security: ' || nullif(c.relrowsecurity, false),
        'row security forced: ' || nullif(c.relforcerowsecurity, false),
        -- Which index identifies rows is in the entry of the index.
        'replica identity: ' || c.relreplident::text,
        'options: ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(c.reloptions) AS o),
        'toast options: ' || (
            SELECT string_agg(o, ', ' ORDER BY o)
            FROM pg_class AS toast, unnest(toast.reloptions) AS o
            WHERE toast.oid = c.reltoastrelid
        ),
        'of type: ' || nullif(c.reloftype, 0)::regtype,
        'partitioned: ' || CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
        'partition: ' || pg_get_expr(c.relpartbound, c.oid),
        -- A hash partition's names the partitioned table by its OID.
        'partition constraint: ' || regexp_replace(
            pg_get_partition_constraintdef(c.oid), '''\d+''::oid', 'parent', 'g'
        ),
        'populated: ' || CASE WHEN c.relkind = 'm' THEN c.relispopulated END,
        'definition: ' || CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
        (
            SELECT concat_ws(
                E'\n',
                'type: ' || s.seqtypid::regtype,
                'start: ' || s.seqstart,
                'increment: ' || s.seqincrement,
                'minimum: ' || s.seqmin,
                'maximum: ' || s.seqmax,
                'cache: ' || s.seqcache,
                'cycle: ' || s.seqcycle
            )
            FROM pg_sequence AS s
            WHERE s.seqrelid = c.oid
        ),
        'owned by: ' || (
            SELECT o.identity || CASE d.deptype WHEN 'i' THEN ' (identity)' ELSE '' END
            FROM pg_depend AS d
            CROSS JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) AS o
            WHERE
                c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
                AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        )
    ) AS definition
FROM pg_class AS c
CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, c.oid, 0) AS i
WHERE
    c.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_class'::regclass))
    AND c.relkind NOT IN ('i', 'I', 't')
