-- Name: foreign-key
-- Purpose: every row refers to one that exists, whatever the constraint says: it is not
--   enforced while triggers are off, and staging does not have it. Staging rows whose
--   parent was deleted together with production's rows are exempt: the exchange handles
--   them as the key's ON DELETE says.
-- Fault: row with a broken reference
-- Severity: error
-- For each: foreign key
-- Parameters: {key}, {other}, {other_key}, {shown}, {table}, {table_oid}, {checked_oid}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT t.xmin, {shown}
FROM {checked} AS t
LEFT JOIN (SELECT {other_key}, true FROM {other}) AS r ({key}, is_there) USING ({key})
LEFT JOIN (
    SELECT DISTINCT {key}, true
    FROM sterna.deleted_rows(NULL::{table})
    WHERE {table_oid} <> {checked_oid}
) AS d ({key}, was_there) USING ({key})
WHERE r.is_there IS NULL AND d.was_there IS NULL AND num_nulls({key}) = 0
