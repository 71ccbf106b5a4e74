-- Purpose: a species as JSON, to copy values from.
-- Lock: ACCESS SHARE. Transaction: yes, that of the addition.
-- Undone by: nothing, it only reads.
SELECT to_jsonb(s) FROM {species} AS s WHERE s.id = $1
