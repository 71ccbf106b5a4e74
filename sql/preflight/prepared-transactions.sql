-- Purpose: prepared transactions of this database: they keep their locks and snapshots until
--   somebody ends them.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT format('%L of %s, prepared %s', gid, owner, to_char(prepared, 'YYYY-MM-DD HH24:MI'))
FROM pg_catalog.pg_prepared_xacts
WHERE database = current_database()
ORDER BY prepared
