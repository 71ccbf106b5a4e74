-- Purpose: records that a recomputation was undone, and deletes what it kept.
-- Lock: none. Transaction: yes, with table/summary/restore.sql. Undone by: nothing.
WITH forgotten AS (
    DELETE FROM sterna.summary_before WHERE run_id = $1
),
forgotten_as_well AS (
    DELETE FROM sterna.summary_written WHERE run_id = $1
)
UPDATE sterna.summary_run SET undone_at = clock_timestamp() WHERE run_id = $1
