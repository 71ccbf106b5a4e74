-- Purpose: what follows is done as the role that restores.
-- Lock: none. Transaction: either. Undone by: set-role.sql.
RESET ROLE
