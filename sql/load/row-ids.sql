-- Purpose: production's row id of every record id, for records to keep.
-- Lock: ACCESS SHARE on production. Transaction: either. Undone by: nothing, it only reads.
COPY (
    SELECT {record_id}::text, {row_id} FROM {table} WHERE {record_id} IS NOT NULL
) TO STDOUT (FORMAT binary)
