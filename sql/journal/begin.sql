-- Purpose: records every later write to a table or its partitions, by any role and with any
--   session_replication_role. Triggers left over from a restored dump are replaced.
-- Lock: SHARE ROW EXCLUSIVE on the table and its partitions.
-- Transaction: yes, with journal/make.sql before it and journal/register.sql.
-- Undone by: journal/end.sql.
SELECT sterna.arm($1)
