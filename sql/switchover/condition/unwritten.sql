-- Purpose: for a table whose writes were not recorded, fails if there were any since the load
--   into staging ($1) began: every row must be visible to the snapshot taken then, and there
--   must be as many as were counted then.
-- Lock: those of the exchange keep the answer true. Transaction: yes.
-- Undone by: nothing, it only reads.
SELECT sterna.refuse('SN013', 'the table was written to', NULL)
WHERE (
    WITH this AS MATERIALIZED (
        -- From here on, ages are counted from this transaction.
        SELECT pg_catalog.pg_current_xact_id()::text::bigint AS xid
    )
    SELECT
        s.baseline_rows = (SELECT count(*) FROM {table})
        AND s.baseline_rows = (
            SELECT count(*)
            FROM {table} AS t
            WHERE pg_catalog.pg_visible_in_snapshot(
                -- The full (64-bit) id of the transaction that wrote the row, from its age.
                greatest(this.xid - pg_catalog.age(t.xmin), 3)::text::pg_catalog.xid8,
                s.baseline_snapshot
            )
        )
    FROM this CROSS JOIN sterna.staging AS s
    WHERE s.relid = $1
) IS NOT TRUE
