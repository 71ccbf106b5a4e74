-- Purpose: record id and row id of the rows deleted from production since its journal began:
--   their records get the same ids, so that the deletion finds them when it is carried over.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
COPY (
    SELECT DISTINCT d.{record_id}::text, d.{row_id}
    FROM sterna.deleted_rows(NULL::{table}) AS d
    WHERE d.{record_id} IS NOT NULL
) TO STDOUT (FORMAT binary)
