-- Purpose: records which records must not be loaded although they could be encoded.
-- Lock: none. Transaction: yes, with ledger/forget-batches.sql. Undone by: not needed.
INSERT INTO sterna.load_refusal (run_id, file_number, batch_number, record_number, message)
SELECT $1, * FROM unnest($2::int[], $3::int[], $4::int[], $5::text[])
