-- Purpose: removes staging, and nothing that depends on it.
-- Lock: ACCESS EXCLUSIVE on staging. Transaction: yes.
-- Undone by: table/stage/create.sql and a load.
DROP TABLE {staging} RESTRICT
