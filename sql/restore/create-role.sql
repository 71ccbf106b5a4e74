-- Purpose: creates the role that a backup is restored as, in a server of sterna's own: code in
--   the backup runs with its rights, and it has none except to see every row.
-- Lock: ROW EXCLUSIVE on the catalog. Transaction: either. Undone by: the end of the server.
CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS
