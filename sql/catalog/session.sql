-- Purpose: makes the catalog qualify all names in the definitions it returns, and keeps
--   sterna's own names from resolving by chance.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET search_path = '';
-- If policies would hide rows from this role, fail instead of reading fewer.
SET row_security = off;
