-- Name: sequence-ahead
-- Purpose: the next number of every sequence is not in its column yet.
-- Fault: sequence behind its column
-- Severity: error
-- For each: sequence
-- Parameters: {column}, {sequence}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT m.furthest AS observed, s.last_value AS sequence_stands_at
FROM {sequence} AS s
INNER JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = s.tableoid
CROSS JOIN LATERAL (
    SELECT CASE WHEN q.seqincrement > 0 THEN max({column}) ELSE min({column}) END::bigint
        AS furthest
    FROM {checked}
    WHERE {column} BETWEEN q.seqmin AND q.seqmax
) AS m
WHERE CASE WHEN q.seqincrement > 0 THEN m.furthest > s.last_value ELSE m.furthest < s.last_value END
    OR (m.furthest = s.last_value AND NOT s.is_called)
