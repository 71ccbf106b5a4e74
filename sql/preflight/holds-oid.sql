-- Purpose: how many rows of a table store the identity of another table in a column.
-- Lock: ACCESS SHARE on the table. Transaction: either. Undone by: nothing, it only reads.
SELECT count(*) FROM {table} WHERE {column} = $1::oid::regclass
