-- Purpose: an extension that the backup needs, from this machine's own packages. Its
--   script runs as the superuser; nothing of the backup's is there yet.
-- Lock: that of what it makes. Transaction: either. Undone by: the server's end.
CREATE EXTENSION IF NOT EXISTS {extension} WITH SCHEMA {schema}
