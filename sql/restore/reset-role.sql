-- Purpose: runs what follows as the role that restores.
-- Lock: none. Transaction: either. Undone by: set-role.sql.
RESET ROLE
