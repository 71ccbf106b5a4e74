-- Purpose: records what production holds when a load begins; a resumed load keeps what was
--   recorded first.
-- Lock: ACCESS SHARE on production.
-- Transaction: either, a single statement, so that the count is that of the snapshot.
-- Undone by: table/stage/forget-baseline.sql.
UPDATE sterna.staging
SET baseline_snapshot = pg_catalog.pg_current_snapshot(),
    baseline_rows = (SELECT count(*) FROM {table})
WHERE relid = $1 AND baseline_snapshot IS NULL
