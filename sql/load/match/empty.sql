-- Purpose: empties staging for the matched rows, and resets its own identity sequences: nobody
--   uses the numbers that they gave the rows.
-- Lock: ACCESS EXCLUSIVE on staging. Transaction: yes, with load/match/script.sql.
-- Undone by: its rollback.
TRUNCATE TABLE {staging} RESTART IDENTITY RESTRICT
