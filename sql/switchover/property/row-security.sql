-- Purpose: whether policies apply to a table, and to its owner: statements that switch this off
--   and on again.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    ARRAY[
        format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', oid::regclass),
        format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', oid::regclass)
    ],
    array_remove(ARRAY[
        CASE WHEN relrowsecurity THEN
            format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', oid::regclass) END,
        CASE WHEN relforcerowsecurity THEN
            format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', oid::regclass) END
    ], NULL)
FROM pg_catalog.pg_class
WHERE oid = $1 AND (relrowsecurity OR relforcerowsecurity)
