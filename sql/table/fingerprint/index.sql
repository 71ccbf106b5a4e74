-- Purpose: the indexes of the table and of materialized views that depend on it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'index',
    o.identity,
    concat_ws(
        E'\n',
        'definition: ' || pg_get_indexdef(i.indexrelid),
        'owner: ' || pg_get_userbyid(c.relowner),
        'tablespace: ' || (SELECT t.spcname FROM pg_tablespace AS t WHERE t.oid = c.reltablespace),
        'parent: ' || (
            SELECT h.inhparent::regclass FROM pg_inherits AS h WHERE h.inhrelid = i.indexrelid
        ),
        'primary: ' || nullif(i.indisprimary, false),
        'immediate: ' || i.indimmediate,
        'valid: ' || i.indisvalid,
        'ready: ' || i.indisready,
        'clustered: ' || nullif(i.indisclustered, false),
        'replica identity: ' || nullif(i.indisreplident, false),
        'statistics targets: ' || (
            SELECT string_agg(format('column %s %s', a.attnum, a.attstattarget), ', ' ORDER BY a.attnum)
            FROM pg_attribute AS a
            WHERE a.attrelid = i.indexrelid AND a.attstattarget <> -1
        )
    )
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, c.oid, 0) AS o
WHERE
    i.indexrelid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_class'::regclass))
    -- The index of a TOAST table has the table's OID in its name, and nobody can alter it.
    AND c.relnamespace <> 'pg_toast'::regnamespace
