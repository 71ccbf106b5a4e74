-- Purpose: the records of a load that must not be loaded although they could be encoded.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT file_number, batch_number, record_number, message
FROM sterna.load_refusal
WHERE run_id = $1
ORDER BY file_number, batch_number, record_number
