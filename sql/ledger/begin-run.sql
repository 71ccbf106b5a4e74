-- Purpose: records a load before it starts.
-- Lock: none. Transaction: yes, with its files. Undone by: ledger/discard-runs.sql.
INSERT INTO sterna.load_run
    (run_id, staging, target, state, identity, arguments, mends, version)
VALUES ($1, $2, $3, 'loading', $4, $5, $6, $7)
