-- Purpose: the database belongs to the role that restores into it, and the schema public
--   with it, which is the superuser's before version 15.
-- Lock: ROW EXCLUSIVE on the catalog. Transaction: either. Undone by: the server's end.
ALTER DATABASE {database} OWNER TO {role};
ALTER SCHEMA public OWNER TO {role};
