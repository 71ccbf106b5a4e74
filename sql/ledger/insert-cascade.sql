-- Purpose: records rows that were deleted with the row they referred to, for the batch that
--   wrote them, found by its transaction. If rows were matched with production's and written
--   again, the first batch stands for all.
-- Lock: none. Transaction: yes, with load/delete-orphans.sql.
-- Undone by: ledger/forget-batches.sql.
INSERT INTO sterna.load_cascade (run_id, file_number, batch_number, row_count, checksum)
SELECT b.run_id, b.file_number, b.batch_number, gone.row_count, gone.checksum
FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS gone (xid, row_count, checksum)
CROSS JOIN LATERAL (
    SELECT b.run_id, b.file_number, b.batch_number
    FROM sterna.load_batch AS b
    INNER JOIN sterna.load_run AS r ON r.run_id = b.run_id
    WHERE coalesce(r.matched, b.xid)::xid::text = gone.xid
        AND r.staging = $1 AND r.state <> 'discarded'
    ORDER BY r.started_at, b.run_id, b.file_number, b.batch_number
    LIMIT 1
) AS b
