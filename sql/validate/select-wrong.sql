-- Purpose: the first rows of which a condition is true, by their key.
-- Lock: ACCESS SHARE. Transaction: yes, on a shared snapshot. Undone by: nothing, it reads.
SELECT t.xmin, {shown} FROM {checked} AS t WHERE (
{condition}
) ORDER BY {shown} LIMIT 20
