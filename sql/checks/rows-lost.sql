-- Name: rows-lost
-- Purpose: every batch has the rows that it wrote, except those deleted with a species; if
--   one has fewer, its place in the files is given. Rows that were matched with
--   production's count as one batch.
-- Fault: batch with another number of rows than it wrote
-- Severity: error, warning on the live table
-- Not on shards: the transaction that wrote a row is known only to its worker
-- Parameters: {checked_oid}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT wrote.file, wrote.first_line, wrote.expected, coalesce(found.row_count, 0) AS observed
FROM (
    SELECT
        coalesce(r.matched, b.xid)::xid AS writer,
        CASE WHEN count(*) = 1 THEN min(f.path) END AS file,
        CASE WHEN count(*) = 1 THEN min(b.first_line) END AS first_line,
        sum(b.row_count - gone.row_count)::bigint AS expected
    FROM sterna.load_batch AS b
    INNER JOIN sterna.load_run AS r USING (run_id)
    INNER JOIN sterna.load_file AS f USING (run_id, file_number)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(c.row_count), 0)::bigint AS row_count
        FROM sterna.load_cascade AS c
        WHERE c.run_id = b.run_id AND c.file_number = b.file_number
            AND c.batch_number = b.batch_number
    ) AS gone
    WHERE r.staging = {checked_oid} AND r.state <> 'discarded'
    GROUP BY coalesce(r.matched, b.xid)
) AS wrote
LEFT JOIN (
    SELECT t.xmin AS writer, count(*) AS row_count FROM {checked} AS t GROUP BY t.xmin
) AS found ON found.writer = wrote.writer
WHERE wrote.expected <> coalesce(found.row_count, 0)
ORDER BY wrote.file, wrote.first_line
