-- Purpose: the role that a backup is restored as, in a server of sterna's own: what the
--   backup holds runs with its rights, and it has none but to see every row.
-- Lock: ROW EXCLUSIVE on the catalog. Transaction: either. Undone by: the server's end.
CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS
