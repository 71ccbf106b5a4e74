-- Purpose: the session that measures writes nothing, whatever a query says, and plans
--   each execution for its own parameters. With the server's own choice a statement
--   would change to a generic plan in mid-run, on one side earlier than on the other
--   where costs are near each other, and equal tables would look unequal. Whether it
--   compiles them is left as the application finds it.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET default_transaction_read_only = on;
SET plan_cache_mode = force_custom_plan;
RESET jit;
