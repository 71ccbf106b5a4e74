-- Purpose: records a complete backup.
-- Lock: none. Transaction: either. Undone by: not needed.
INSERT INTO sterna.backup
    (backup_id, target, path, sha256, tables, bytes, verified, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
