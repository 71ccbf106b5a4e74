-- Name: year-asked
-- Purpose: every row is of a requested year.
-- Severity: error
-- Form: condition
-- Columns: year
-- Applies to: staging
-- Parameters: {all_years}, {years}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
NOT ({all_years} OR year = ANY ({years}))
