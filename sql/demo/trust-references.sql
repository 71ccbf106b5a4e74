-- Purpose: spares the move into production one lookup per row: staging's own
--   foreign key has checked the same references a moment before. Superusers only.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET session_replication_role = replica
