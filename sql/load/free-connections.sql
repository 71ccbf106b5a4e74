-- Purpose: how many more sessions the role may open here, by the server's limits. What others
--   open in the meantime, and the limits of a pooler, are unknown.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT least(
    pg_catalog.current_setting('max_connections')::integer
    - pg_catalog.current_setting('superuser_reserved_connections')::integer
    - coalesce(pg_catalog.current_setting('reserved_connections', true)::integer, 0)
    -- The type of another role's session may be hidden.
    - (
        SELECT count(*) FROM pg_catalog.pg_stat_activity
        WHERE datid IS NOT NULL AND usesysid IS NOT NULL
    ),
    (
        SELECT r.rolconnlimit - count(a.pid)
        FROM pg_catalog.pg_roles AS r
        LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.usesysid = r.oid
        WHERE r.rolname = session_user AND r.rolconnlimit >= 0
        GROUP BY r.rolconnlimit
    ),
    (
        SELECT d.datconnlimit - count(a.pid)
        FROM pg_catalog.pg_database AS d
        LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.datid = d.oid
        WHERE d.datname = pg_catalog.current_database() AND d.datconnlimit >= 0
        GROUP BY d.datconnlimit
    )
)::bigint
