-- Purpose: the session plans a prepared statement, and those of a function, once for all
--   parameters, so that what ran before the locks is not planned again under them.
-- Lock: none. Transaction: any. Undone by: the session's end.
SET plan_cache_mode = force_generic_plan
