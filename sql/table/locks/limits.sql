-- Purpose: how long the rest of a transaction may wait for a lock and run a statement,
--   in milliseconds; and that a client that falls silent does not keep its locks. The
--   bodies of routines that are created again are not checked: what they name may not be
--   there yet.
-- Lock: none. Transaction: yes. Undone by: its end.
SELECT
    pg_catalog.set_config('lock_timeout', $1, true),
    pg_catalog.set_config('statement_timeout', $2, true),
    pg_catalog.set_config('idle_in_transaction_session_timeout', '2s', true),
    pg_catalog.set_config('check_function_bodies', 'off', true)
