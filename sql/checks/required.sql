-- Name: required
-- Purpose: columns that are NOT NULL in production hold a value that is neither empty nor
--   blank.
-- Fault: row with an empty required column
-- Severity: error
-- Form: condition
-- Parameters: {required_filled}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
num_nulls({required_filled}) > 0
