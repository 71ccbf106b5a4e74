-- Purpose: fails if writes to the table ($1) were carried over since they were counted ($2, in
--   direction $3) and a transaction still has an older snapshot: it would miss writes that were
--   acknowledged before it began.
-- Lock: those of the exchange keep the answer true. Transaction: yes.
-- Undone by: nothing, it only reads.
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
    AND EXISTS (
        SELECT FROM (
            SELECT $1::oid AS relid
            UNION ALL
            SELECT p.relid FROM pg_catalog.pg_partition_ancestors($1::oid) AS p
        ) AS read
        WHERE pg_catalog.has_table_privilege(a.usesysid, read.relid, 'SELECT')
    )
    AND EXISTS (
        SELECT FROM sterna.carrying AS c
        WHERE c.relid = $1 AND c.toward = $3 AND c.entries > $2
    )
HAVING count(*) > 0
