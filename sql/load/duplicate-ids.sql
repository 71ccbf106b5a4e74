-- Purpose: row ids that stand more than once in staging.
-- Lock: ACCESS SHARE on staging. Transaction: either.
-- Undone by: nothing, it reads.
SELECT {row_id}
FROM {staging}
GROUP BY {row_id}
HAVING count(*) > 1
