-- Name: blank-at-end
-- Purpose: names do not begin or end in a blank, which nobody sees who compares them.
-- Severity: warning
-- Form: condition
-- For each: column taxon, term, unit
-- Parameters: {column}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
{column} <> btrim({column}, E' \t\r\n')
