-- Name: rows-expected
-- Purpose: there are as many rows as the user expects.
-- Severity: error
-- Form: figures
-- Parameters: {expect_rows}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT {expect_rows} AS expected, count(*) AS observed FROM {checked}
