-- Name: year-asked
-- Purpose: every row is of a year that was asked for.
-- Severity: error
-- Form: condition
-- Columns: year
-- Applies to: staging
-- Parameters: {all_years}, {years}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
NOT ({all_years} OR year = ANY ({years}))
