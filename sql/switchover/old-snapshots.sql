-- Purpose: sessions whose snapshot may be older than the end of a load ($1), or than the last
--   writes carried over from the live table ($2): they would see the new table without its
--   rows. Sessions in the first statement of their transaction are left out, because they keep
--   no snapshot for later ones, and so are roles that may read neither the table nor one that it is a
--   partition of.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT format(
    'pid %s (%s%s, in a transaction for %s s): %s',
    a.pid,
    a.usename,
    ' ' || nullif(a.application_name, ''),
    round(extract(epoch FROM clock_timestamp() - a.xact_start)),
    left(regexp_replace(a.query, '\s+', ' ', 'g'), 80)
)
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid()
    AND a.datname = current_database()
    AND a.backend_type = 'client backend'
    AND a.backend_xmin IS NOT NULL
    AND (a.state <> 'active' OR a.xact_start < a.query_start)
    AND EXISTS (
        SELECT FROM (
            SELECT $2::oid AS relid
            UNION ALL
            SELECT p.relid FROM pg_catalog.pg_partition_ancestors($2::oid) AS p
        ) AS read
        WHERE pg_catalog.has_table_privilege(a.usesysid, read.relid, 'SELECT')
    )
    AND a.xact_start < greatest(
        (
            SELECT max(r.finished_at) FROM sterna.load_run AS r
            WHERE r.staging = $1 AND r.state = 'loaded'
        ),
        (SELECT max(c.carried_at) FROM sterna.carrying AS c WHERE c.relid = $2)
    )
ORDER BY a.xact_start
