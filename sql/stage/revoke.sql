-- Purpose: takes a default privilege back before anybody can use it.
-- Lock: none that matters. Transaction: yes, that of stage/create.sql.
-- Undone by: a grant.
REVOKE ALL ON TABLE {staging} FROM {grantee}
