-- Purpose: the sessions that work on tables, by the tables' names in sterna's locks: what each
--   is doing, what it waits for, who blocks it, and how far it has got if it builds an index.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT DISTINCT ON (a.pid)
    a.pid,
    -- sterna's statements begin with their purpose.
    coalesce(
        regexp_replace(substring(a.query FROM '^-- Purpose: ([^.;]*)'), '\s*\n--\s*', ' ', 'g'),
        left(regexp_replace(a.query, '\s+', ' ', 'g'), 60)
    ),
    CASE WHEN a.state = 'active' THEN a.wait_event_type || ': ' || a.wait_event END,
    a.state,
    extract(epoch FROM clock_timestamp() - a.state_change)::double precision,
    ARRAY(
        SELECT concat_ws(
            ' ', 'session', b.pid, 'of', b.usename,
            '(' || nullif(b.application_name, '') || ')',
            b.state,
            'since ' || date_trunc('second', coalesce(b.xact_start, b.state_change))
        )
        FROM unnest(pg_catalog.pg_blocking_pids(a.pid)) AS blocking (pid)
        INNER JOIN pg_catalog.pg_stat_activity AS b USING (pid)
    ),
    (
        SELECT concat(p.phase, ', ' || CASE
            WHEN p.tuples_total > 0 THEN 100 * p.tuples_done / p.tuples_total
            WHEN p.blocks_total > 0 THEN 100 * p.blocks_done / p.blocks_total
        END || ' %')
        FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.pid = a.pid
    )
FROM pg_catalog.pg_locks AS l
INNER JOIN pg_catalog.pg_stat_activity AS a USING (pid)
CROSS JOIN unnest($1::text[]) AS named (name)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
    AND l.classid IN (1937010273::oid, 1937010274::oid)
    AND l.objid = (pg_catalog.hashtext(named.name)::bigint & 4294967295)::oid
    AND l.database = (
        SELECT d.oid FROM pg_catalog.pg_database AS d
        WHERE d.datname = pg_catalog.current_database()
    )
    AND a.pid <> pg_catalog.pg_backend_pid()
ORDER BY a.pid
