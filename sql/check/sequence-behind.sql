-- Purpose: whether a sequence gives numbers next that its column holds already.
-- Lock: ACCESS SHARE on table and sequence. Transaction: either.
-- Undone by: nothing, it reads.
SELECT format('it stands at %s, the column is at %s', s.last_value, m.largest)
FROM (SELECT max({column})::bigint AS largest FROM {table}) AS m
CROSS JOIN {sequence} AS s
WHERE m.largest > s.last_value OR (m.largest = s.last_value AND NOT s.is_called)
