-- Name: rows-shrunk
-- Purpose: there are not fewer rows in all than the limit allows, and some where
--   production has any, whatever the table is about. Rows that were inserted into
--   production meanwhile are carried over by the exchange, and so not missing.
-- Severity: error
-- Form: figures
-- Applies to: staging
-- Parameters: {all_years}, {max_shrinkage}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
SELECT
    p.row_count AS expected,
    c.row_count AS observed,
    -- Rows of some years are held against those years, by year-shrunk.
    NOT {all_years} OR p.row_count = 0
    OR (c.row_count > 0 AND c.row_count >= p.row_count * (1 - {max_shrinkage})) AS passed
FROM (
    SELECT
        (SELECT count(*) FROM {table})
        - (SELECT count(*) FROM sterna.written_rows(NULL::{table}, 'I')) AS row_count
) AS p
CROSS JOIN (SELECT count(*) AS row_count FROM {checked}) AS c
