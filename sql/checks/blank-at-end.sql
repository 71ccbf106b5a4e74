-- Name: blank-at-end
-- Purpose: names have no leading or trailing blanks, which are easily overlooked in a
--   comparison.
-- Severity: warning
-- Form: condition
-- For each: column taxon, term, unit
-- Parameters: {column}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
{column} <> btrim({column}, E' \t\r\n')
