-- Purpose: spares the move into production one lookup per row: staging's own foreign key has
--   just checked the same references. Superusers only.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET session_replication_role = replica
