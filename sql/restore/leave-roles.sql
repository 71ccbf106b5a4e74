-- Purpose: takes back what was lent for a restore: the group with its rights. The role
--   that restored stays a member of the others, for it counts rows afterwards.
-- Lock: ACCESS EXCLUSIVE on what it has rights on, in a copy. Transaction: either.
-- Undone by: nothing needs to.
DROP OWNED BY {owners};
DROP ROLE {owners};
