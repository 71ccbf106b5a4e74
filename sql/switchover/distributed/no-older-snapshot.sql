-- Purpose: fails if a transaction has a snapshot of its own, and so would not see in the new table
--   what is carried over from the live one ($1); if an exchange ($2) is given, only if it has
--   carried anything over.
-- Lock: none. Transaction: yes, the exchange's. Undone by: nothing, it only reads.
SELECT sterna.refuse(
    'SN018',
    'a transaction with an older snapshot would not see the last writes: '
    || string_agg(format('pid %s (%s)', a.pid, a.usename), ', '),
    NULL
)
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = current_database()
    AND a.pid <> pg_backend_pid()
    AND a.backend_type = 'client backend'
    AND a.state LIKE 'idle in transaction%'
    AND a.backend_xmin IS NOT NULL
    AND pg_catalog.has_table_privilege(a.usesysid, $1::oid, 'SELECT')
    AND (
        $2::uuid IS NULL
        OR EXISTS (
            SELECT FROM sterna.switchover AS s
            WHERE s.switchover_id = $2
                AND CASE s.state WHEN 'returned' THEN s.carried_back ELSE s.replayed END > 0
        )
    )
HAVING count(*) > 0
