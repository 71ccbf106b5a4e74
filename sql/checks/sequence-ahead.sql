-- Name: sequence-ahead
-- Purpose: the next number of every sequence is one that its column does not hold yet.
-- Severity: error
-- For each: sequence
-- Parameters: {column}, {sequence}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
SELECT m.largest AS observed, s.last_value AS sequence_stands_at
FROM (SELECT max({column})::bigint AS largest FROM {checked}) AS m
CROSS JOIN {sequence} AS s
WHERE m.largest > s.last_value OR (m.largest = s.last_value AND NOT s.is_called)
