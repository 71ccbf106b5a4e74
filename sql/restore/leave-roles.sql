-- Purpose: takes back the rights lent for a restore, with their group. The role that restored
--   stays a member of the others, because it counts rows afterwards.
-- Lock: ACCESS EXCLUSIVE on what it has rights on, in a copy. Transaction: either.
-- Undone by: not needed.
DROP OWNED BY {owners};
DROP ROLE {owners};
