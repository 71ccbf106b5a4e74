-- Purpose: every name that a record can be mapped to.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT {value}::uuid, {key}::text FROM {lookup} WHERE {key} IS NOT NULL ORDER BY {key}, {value}
