-- Purpose: a vacuum of the table to prevent transaction id wraparound, which does not yield to
--   others.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT format('pid %s: %s', a.pid, a.query)
FROM pg_catalog.pg_stat_activity AS a
INNER JOIN pg_catalog.pg_stat_progress_vacuum AS v ON v.pid = a.pid
WHERE v.datname = current_database() AND v.relid = $1
    AND a.query LIKE '%(to prevent wraparound)%'
