-- Purpose: empties staging. Lock: ACCESS EXCLUSIVE on staging. Transaction: yes.
-- Undone by: a load.
TRUNCATE TABLE {staging} RESTRICT
