-- Name: foreign-key
-- Purpose: every row refers to one that exists, whatever the constraint says: it is
--   not asked when triggers are off, and staging does not carry it. Rows of staging whose
--   parent was deleted together with rows of production go with the exchange, as the key's
--   ON DELETE has it.
-- Severity: error
-- For each: foreign key
-- Parameters: {key}, {other}, {other_key}, {shown}, {table}, {table_oid}, {checked_oid}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
SELECT t.xmin, {shown}
FROM {checked} AS t
LEFT JOIN (SELECT {other_key}, true FROM {other}) AS r ({key}, is_there) USING ({key})
LEFT JOIN (
    SELECT DISTINCT {key}, true
    FROM sterna.deleted_rows(NULL::{table})
    WHERE {table_oid} <> {checked_oid}
) AS d ({key}, was_there) USING ({key})
WHERE r.is_there IS NULL AND d.was_there IS NULL AND num_nulls({key}) = 0
