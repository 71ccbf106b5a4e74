-- Purpose: stops recording writes to a table.
-- Lock: ACCESS EXCLUSIVE on the table and its partitions, briefly.
-- Transaction: yes, with journal/drop.sql and journal/forget.sql.
-- Undone by: nothing; later writes are not recorded.
SELECT sterna.disarm($1)
