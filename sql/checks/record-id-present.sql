-- Name: record-id-present
-- Purpose: every row has the id that its record has in the files.
-- Fault: row without the id of its record
-- Severity: error
-- Form: condition
-- Filled: record_id
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
record_id IS NULL
-- Only what sorts before '!' by its bytes can be blank; trimming takes longer.
OR (record_id COLLATE "C" < '!' AND btrim(record_id) = '')
