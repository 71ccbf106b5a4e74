-- Name: record-id-unique
-- Purpose: no record is stored twice. Equal contents prove nothing: shipments repeat each
--   other.
-- Fault: row with the record id of another row
-- Severity: error
-- Filled: record_id
-- Parameters: {shown}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT t.xmin, {shown}
FROM {checked} AS t
INNER JOIN (
    SELECT record_id FROM {checked} GROUP BY record_id HAVING count(*) > 1
) AS repeated USING (record_id)
