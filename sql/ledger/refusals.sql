-- Purpose: records of a load that are not to be loaded although they could be encoded.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT file_number, batch_number, record_number, message
FROM sterna.load_refusal
WHERE run_id = $1
ORDER BY file_number, batch_number, record_number
