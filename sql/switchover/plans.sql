-- Purpose: makes the session plan prepared statements, and those of functions, once for all
--   parameters, so that what ran before the locks is not planned again while they are held.
-- Lock: none. Transaction: either. Undone by: the end of the session.
SET plan_cache_mode = force_generic_plan
