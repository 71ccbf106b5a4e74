-- Purpose: a species as text, to take values over from. Lock: ACCESS SHARE.
-- Transaction: yes, that of the addition. Undone by: nothing, it reads.
SELECT to_jsonb(s) FROM {species} AS s WHERE s.id = $1
