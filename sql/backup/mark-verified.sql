-- Purpose: notes what a verification found; no row where the backup was taken of
--   another database, or is another one than was recorded.
-- Lock: none. Transaction: either. Undone by: itself.
UPDATE sterna.backup SET verified = $3 WHERE backup_id = $1 AND sha256 = $2
