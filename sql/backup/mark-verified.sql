-- Purpose: records the result of a verification. Updates no row if the backup was taken of
--   another database or is not the one recorded.
-- Lock: none. Transaction: either. Undone by: itself.
UPDATE sterna.backup SET verified = $3 WHERE backup_id = $1 AND sha256 = $2
