-- Purpose: creates a table for the writes that a rollback leaves behind, with the columns of
--   the live one.
-- Lock: none, it is new. Transaction: yes, with the revokes after it.
-- Undone by: switchover/keep/drop.sql.
CREATE TABLE {left} AS SELECT NULL::text AS sterna_operation, l.* FROM {table} AS l WHERE false
