-- Purpose: empties staging for the rows that come back; the numbers that its own
--   identity sequences have given them are of no use to anybody.
-- Lock: ACCESS EXCLUSIVE on staging. Transaction: yes, with load/match/script.sql.
-- Undone by: its rollback.
TRUNCATE TABLE {staging} RESTART IDENTITY RESTRICT
