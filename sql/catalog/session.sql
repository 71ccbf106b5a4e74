-- Purpose: definitions that the catalog gives are qualified in full, and nothing
--   that sterna names is looked up by chance.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET search_path = '';
-- Where policies would hide rows from this role, fail instead of reading fewer.
SET row_security = off;
