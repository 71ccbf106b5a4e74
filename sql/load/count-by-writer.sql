-- Purpose: the number of rows of staging by the transaction that wrote them.
-- Lock: ACCESS SHARE on staging. Transaction: either. Undone by: nothing, it only reads.
SELECT s.xmin::text, count(*) FROM {staging} AS s GROUP BY s.xmin
