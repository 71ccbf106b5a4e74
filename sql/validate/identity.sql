-- Purpose: the loads whose rows a table holds, and what they wrote.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT coalesce(
    jsonb_agg(
        jsonb_build_object(
            'run_id', r.run_id, 'state', r.state, 'checksum', r.checksum,
            'batches', b.batches, 'rows', b.row_count
        )
        ORDER BY r.started_at, r.run_id
    ),
    '[]'
)
FROM sterna.load_run AS r
CROSS JOIN LATERAL (
    SELECT count(*) AS batches, sum(row_count) AS row_count
    FROM sterna.load_batch
    WHERE run_id = r.run_id
) AS b
WHERE r.staging = $1 AND r.state <> 'discarded'
