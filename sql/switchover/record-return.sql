-- Purpose: records that a switchover was rolled back, and how many writes were carried back, in
--   the transaction that does so. $3 is the outgoing table, $4 how many rows the old table had
--   before anything was carried back to it.
-- Lock: its row. Transaction: yes, the rollback's. Undone by: its rollback.
WITH carried AS (
    SELECT
        coalesce(sum(c.entries), 0)::bigint AS entries,
        coalesce(sum(c.added - c.removed), 0)::bigint AS came
    FROM sterna.carrying AS c
    WHERE c.relid = $3 AND c.toward = 'old'
)
UPDATE sterna.switchover AS s
SET state = 'returned', returned_at = clock_timestamp(), to_validate = $2,
    carried_back = c.entries
FROM carried AS c
WHERE s.switchover_id = $1 AND s.state = 'switched'
RETURNING $4 + c.came, c.entries
