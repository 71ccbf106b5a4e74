-- Purpose: the committed batches of a load, and which of their rows were deleted with the row
--   they referred to.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    b.file_number,
    b.batch_number,
    b.row_count,
    b.checksum,
    b.refused,
    b.xid::text,
    coalesce(sum(c.row_count), 0)::bigint,
    -- Sums of checksums wrap around; SQL's do not.
    coalesce(array_agg(c.checksum) FILTER (WHERE c.checksum IS NOT NULL), '{}')
FROM sterna.load_batch AS b
LEFT JOIN sterna.load_cascade AS c USING (run_id, file_number, batch_number)
WHERE b.run_id = $1
GROUP BY b.run_id, b.file_number, b.batch_number
