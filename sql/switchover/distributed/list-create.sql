-- Purpose: creates the list of the rows that differ between a table and its copy.
-- Lock: none on anything else. Transaction: yes. Undone by: distribution/copy-drop.sql.
CREATE TABLE {list} ({columns})
