-- Purpose: creates an extension that the backup needs, from this machine's own packages. Its
--   script runs as the superuser, before anything of the backup exists.
-- Lock: that of what it creates. Transaction: either. Undone by: the end of the server.
CREATE EXTENSION IF NOT EXISTS {extension} WITH SCHEMA {schema}
