-- Purpose: row ids that occur more than once in staging, with the transactions that wrote them.
-- Lock: ACCESS SHARE on staging. Transaction: either. Undone by: nothing, it only reads.
SELECT {row_id}, array_agg(DISTINCT xmin::text::bigint)
FROM {staging}
GROUP BY {row_id}
HAVING count(*) > 1
