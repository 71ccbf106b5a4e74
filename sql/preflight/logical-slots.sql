-- Purpose: logical replication slots of this database: their readers decode the whole load.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT format('the slot %s (%s) will see every row of the load', s.slot_name, s.plugin)
FROM pg_catalog.pg_replication_slots AS s
WHERE s.slot_type = 'logical' AND s.database = current_database()
ORDER BY s.slot_name
