-- Purpose: what follows is done as another role, of which the one that restores is a
--   member: a right is given by whom had given it. No sandbox: the session's own role has
--   no rights either.
-- Lock: none. Transaction: either. Undone by: reset-role.sql.
SET ROLE {role}
