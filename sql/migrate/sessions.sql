-- Purpose: the sessions that work on two tables, by sterna's locks on their names ($1), and by the
--   tables that sessions of this role and application name read or write (the schema $2 and the
--   names $3): what each is for and is doing, what it waits for, who blocks it, and how far it has
--   got if it builds an index.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH at_work (pid) AS (
    SELECT l.pid
    FROM pg_catalog.pg_locks AS l
    CROSS JOIN unnest($1::text[]) AS named (name)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
        AND l.classid IN (1937010273::oid, 1937010274::oid)
        AND l.objid = (pg_catalog.hashtext(named.name)::bigint & 4294967295)::oid
        AND l.database = (
            SELECT d.oid FROM pg_catalog.pg_database AS d
            WHERE d.datname = pg_catalog.current_database()
        )
    UNION
    SELECT l.pid
    FROM pg_catalog.pg_locks AS l
    INNER JOIN pg_catalog.pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'relation'
        AND l.relation IN (
            SELECT c.oid
            FROM pg_catalog.pg_class AS c
            INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $2 AND c.relname = ANY ($3::text[])
        )
        AND a.datname = pg_catalog.current_database()
        AND a.usename = session_user
        -- With a purpose, and the same without it (crates/pg/src/name.rs).
        AND strpos(a.application_name, ': ') > 0
        AND split_part(a.application_name, ': ', 1)
        = split_part(pg_catalog.current_setting('application_name'), ': ', 1)
)
SELECT
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
    ),
    nullif(substring(a.application_name FROM ': (.*)'), '')
FROM at_work
INNER JOIN pg_catalog.pg_stat_activity AS a USING (pid)
WHERE a.pid <> pg_catalog.pg_backend_pid()
ORDER BY a.pid
