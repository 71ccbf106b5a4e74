-- Purpose: the last validation of a table.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT id, passed, comprehensive, report, identity, checked
FROM sterna.validation
WHERE checked = $1
ORDER BY validated_at DESC
LIMIT 1
