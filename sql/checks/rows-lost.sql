-- Name: rows-lost
-- Purpose: every batch has the rows that it wrote, less those that went with a species;
--   where one has fewer, its place in the files says which.
-- Severity: error, warning on the live table
-- Parameters: {checked_oid}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
SELECT
    f.path AS file,
    b.first_line,
    b.row_count - gone.row_count AS expected,
    coalesce(found.row_count, 0) AS observed
FROM sterna.load_batch AS b
INNER JOIN sterna.load_run AS r USING (run_id)
INNER JOIN sterna.load_file AS f USING (run_id, file_number)
LEFT JOIN (
    SELECT t.xmin AS writer, count(*) AS row_count FROM {checked} AS t GROUP BY t.xmin
) AS found ON found.writer = b.xid::xid
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.row_count), 0)::bigint AS row_count
    FROM sterna.load_cascade AS c
    WHERE c.run_id = b.run_id AND c.file_number = b.file_number
        AND c.batch_number = b.batch_number
) AS gone
WHERE r.staging = {checked_oid} AND r.state <> 'discarded'
    AND b.row_count - gone.row_count <> coalesce(found.row_count, 0)
ORDER BY f.path, b.first_line
