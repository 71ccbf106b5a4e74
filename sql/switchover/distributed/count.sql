-- Purpose: corrects the figures of an exchange ($1), which is recorded by now: how many rows the
--   incoming table has, and how many were carried over to it; to staging if $2.
-- Lock: its row. Transaction: yes, the exchange's. Undone by: its rollback.
UPDATE sterna.switchover
SET row_count = CASE WHEN $2::boolean THEN (SELECT count(*) FROM {incoming}) ELSE row_count END,
    replayed = CASE WHEN $2::boolean THEN (SELECT count(*) FROM {list}) ELSE replayed END,
    carried_back = CASE WHEN $2::boolean THEN carried_back ELSE (SELECT count(*) FROM {list}) END
WHERE switchover_id = $1
RETURNING (SELECT count(*) FROM {incoming}), (SELECT count(*) FROM {list})
