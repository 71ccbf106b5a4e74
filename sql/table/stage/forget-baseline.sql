-- Purpose: forgets what production held, because staging is being emptied.
-- Lock: none. Transaction: yes, that of table/stage/truncate.sql.
-- Undone by: table/stage/note-baseline.sql.
UPDATE sterna.staging SET baseline_snapshot = NULL, baseline_rows = NULL WHERE relid = $1
