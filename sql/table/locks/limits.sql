-- Purpose: limits how long the rest of the transaction may wait for a lock and run a statement,
--   in milliseconds, and keeps a client that falls silent from keeping its locks. The bodies of
--   recreated routines are not checked: what they name may not exist yet.
-- Lock: none. Transaction: yes. Undone by: the end of the transaction.
SELECT
    pg_catalog.set_config('lock_timeout', $1, true),
    pg_catalog.set_config('statement_timeout', $2, true),
    pg_catalog.set_config('idle_in_transaction_session_timeout', '2s', true),
    pg_catalog.set_config('check_function_bodies', 'off', true)
