-- Purpose: as stage/revoke.sql, for everybody at once.
-- Lock: none that matters. Transaction: yes. Undone by: a grant.
REVOKE ALL ON TABLE {staging} FROM PUBLIC
