-- Purpose: writes the statement that copies a database; $1 the new name, $2 the
--   template's or NULL for the server's own. The server quotes both names.
-- Lock: none; the statement that it writes needs the template without sessions.
-- Transaction: either way; the statement that it writes runs outside of one.
-- Undone by: DROP DATABASE.
SELECT format('CREATE DATABASE %I TEMPLATE %I', $1::text, coalesce($2::text, 'template1'))
