-- Purpose: records a run before it acts.
-- Lock: none. Transaction: either. Undone by: nothing, it is a record.
INSERT INTO sterna.migration
    (run_id, kind, schema_name, table_name, target, state, arguments, identity, version)
VALUES ($1, $2, $3, $4, $5, 'running', $6, $7, $8)
