-- Name: required
-- Purpose: columns that are NOT NULL in production hold a value that is neither empty nor
--   blank.
-- Severity: error
-- Form: condition
-- Parameters: {required}, {required_text}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
num_nulls({required}) > 0
OR EXISTS (
    SELECT FROM unnest(ARRAY[{required_text}]::text[]) AS v (value) WHERE btrim(value, E' \t\r\n') = ''
)
