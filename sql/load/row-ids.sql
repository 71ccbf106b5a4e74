-- Purpose: production's row id of every record id, to be carried over; also those of
--   rows deleted since writes are noted down, so that carrying the deletion over finds
--   the row. Lock: ACCESS SHARE on production. Transaction: either.
-- Undone by: nothing, it reads.
COPY (
    SELECT {record_id}::text, {row_id} FROM {table} WHERE {record_id} IS NOT NULL
    UNION ALL
    SELECT DISTINCT (gone.row).{record_id}::text, (gone.row).{row_id}
    FROM (
        SELECT old_row::{table} AS row
        FROM sterna.journal
        WHERE relid = {oid} AND operation = 'DELETE'
    ) AS gone
    WHERE (gone.row).{record_id} IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM {table} AS t WHERE t.{record_id} = (gone.row).{record_id}
        )
) TO STDOUT (FORMAT binary)
