-- Purpose: copies the live table's rows, as the transaction's snapshot shows them; generated
--   columns and defaults become plain values.
-- Lock: ACCESS SHARE on production.
-- Transaction: yes, REPEATABLE READ, with the revokes and the count after it.
-- Undone by: table/backup/drop.sql.
CREATE TABLE {backup} AS SELECT * FROM {table}
