-- Name: referring-key
-- Purpose: rows of other tables that refer to production find the rows they refer to.
-- Fault: broken reference from another table
-- Severity: error
-- For each: referring key
-- Parameters: {key}, {other}, {other_key}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT {other_key}, count(*) AS referring_rows
FROM {other} AS r
LEFT JOIN (SELECT {key}, true FROM {checked}) AS t ({other_key}, is_there) USING ({other_key})
WHERE t.is_there IS NULL AND num_nulls({other_key}) = 0
GROUP BY {other_key}
