-- Name: foreign-key
-- Purpose: every row refers to one that exists, whatever the constraint says: it is
--   not asked when triggers are off.
-- Severity: error
-- For each: foreign key
-- Parameters: {key}, {other}, {other_key}, {shown}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
SELECT t.xmin, {shown}
FROM {checked} AS t
LEFT JOIN (SELECT {other_key}, true FROM {other}) AS r ({key}, is_there) USING ({key})
WHERE r.is_there IS NULL AND num_nulls({key}) = 0
