-- Purpose: replication slots without a reader: the write-ahead log of the load stays on disk
--   for them.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT format(
    'the %s slot %s holds %s of write-ahead log back',
    s.slot_type,
    s.slot_name,
    coalesce(
        pg_size_pretty(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn)),
        'nothing yet'
    )
)
FROM pg_catalog.pg_replication_slots AS s
WHERE NOT s.active
ORDER BY s.slot_name
