-- Purpose: whether the next numbers of a sequence are already in its column: of the values that
--   it can reach, the furthest in its own direction counts.
-- Lock: ACCESS SHARE on table and sequence. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT format('it stands at %s, the column is at %s', s.last_value, r.furthest)
FROM {sequence} AS s
INNER JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = s.tableoid
CROSS JOIN LATERAL (
    SELECT CASE WHEN q.seqincrement > 0 THEN max({column}) ELSE min({column}) END::bigint
        AS furthest
    FROM {table}
    WHERE {column} BETWEEN q.seqmin AND q.seqmax
) AS r
WHERE CASE WHEN q.seqincrement > 0 THEN r.furthest > s.last_value ELSE r.furthest < s.last_value END
    OR (r.furthest = s.last_value AND NOT s.is_called)
