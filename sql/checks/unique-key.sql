-- Name: unique-key
-- Purpose: no two rows share the primary key or another unique key of production.
-- Fault: row with a key of another row
-- Severity: error
-- For each: unique key
-- Parameters: {key}, {shown}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT t.xmin, {shown}
FROM {checked} AS t
INNER JOIN (
    SELECT {key} FROM {checked} GROUP BY {key} HAVING count(*) > 1
) AS repeated USING ({key})
