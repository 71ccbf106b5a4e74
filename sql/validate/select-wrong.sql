-- Purpose: the first rows that meet a condition, by their key.
-- Lock: ACCESS SHARE. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT t.xmin, {shown} FROM {checked} AS t WHERE (
{condition}
) ORDER BY {shown} LIMIT 20
