-- Purpose: the same of rows that were deleted since writes are noted down, so that
--   carrying the deletion over finds the row.
-- Lock: none on production. Transaction: either. Undone by: nothing, it reads.
COPY (
    SELECT DISTINCT (gone.row).{record_id}::text, (gone.row).{row_id}
    FROM (
        SELECT old_row::{table} AS row
        FROM sterna.journal
        WHERE relid = {oid} AND operation = 'DELETE'
        OFFSET 0
    ) AS gone
    WHERE (gone.row).{record_id} IS NOT NULL
) TO STDOUT (FORMAT binary)
