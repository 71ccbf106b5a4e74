-- Purpose: runs what follows as another role, of which the restoring role is a member: a right
--   is granted by the role that had granted it. This is no sandbox: the session's own role has
--   no rights either.
-- Lock: none. Transaction: either. Undone by: reset-role.sql.
SET ROLE {role}
