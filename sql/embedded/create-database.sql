-- Purpose: returns the statement that copies a database; $1 is the new name, $2 the template or
--   NULL for the server's own. The server quotes both names.
-- Lock: none; the returned statement needs the template without sessions.
-- Transaction: either; the returned statement runs outside of one. Undone by: DROP DATABASE.
SELECT format('CREATE DATABASE %I TEMPLATE %I', $1::text, coalesce($2::text, 'template1'))
