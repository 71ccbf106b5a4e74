-- Name: rows-shrunk
-- Purpose: the total number of rows is not below the limit, and not zero if production has
--   rows, whatever the table is about. Rows inserted into production in the meantime are
--   carried over by the exchange, so they are not missing.
-- Severity: error
-- Form: figures
-- Applies to: staging
-- Parameters: {all_years}, {max_shrinkage}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT
    p.row_count AS expected,
    c.row_count AS observed,
    -- If only some years are loaded, year-shrunk compares those.
    NOT {all_years} OR p.row_count = 0
    OR (c.row_count > 0 AND c.row_count >= p.row_count * (1 - {max_shrinkage})) AS passed
FROM (
    SELECT
        (SELECT count(*) FROM {table})
        - (SELECT count(*) FROM sterna.written_rows(NULL::{table}, 'I')) AS row_count
) AS p
CROSS JOIN (SELECT count(*) AS row_count FROM {checked}) AS c
