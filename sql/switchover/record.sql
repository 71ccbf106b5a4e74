-- Purpose: records a switchover in the transaction that makes it.
-- Lock: none. Transaction: yes, the switchover's. Undone by: its rollback.
INSERT INTO sterna.switchover
    (switchover_id, schema_name, table_name, old_relid, new_relid, state, fingerprint,
     exceptions, row_count, replayed, to_validate, version)
VALUES ($1, $2, $3, $4, $5, 'switched', $6, $7, $8, $9, $10, $11)
