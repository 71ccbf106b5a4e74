-- Purpose: makes the measuring session read-only, whatever a query says, and has each execution
--   planned for its own parameters. By default the server could switch a statement to a generic
--   plan in mid-run, earlier on one side than on the other when costs are close, and equal
--   tables would look unequal.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET default_transaction_read_only = on;
SET plan_cache_mode = force_custom_plan;
