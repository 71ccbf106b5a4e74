-- Purpose: production's row id of every record id, to be carried over.
-- Lock: ACCESS SHARE on production. Transaction: either.
-- Undone by: nothing, it reads.
COPY (
    SELECT {record_id}::text, {row_id} FROM {table} WHERE {record_id} IS NOT NULL
) TO STDOUT (FORMAT binary)
