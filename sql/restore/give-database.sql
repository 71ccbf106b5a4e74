-- Purpose: gives the database to the role that restores into it, and with it the schema public,
--   which is the superuser's before version 15.
-- Lock: ROW EXCLUSIVE on the catalog. Transaction: either. Undone by: the end of the server.
ALTER DATABASE {database} OWNER TO {role};
ALTER SCHEMA public OWNER TO {role};
