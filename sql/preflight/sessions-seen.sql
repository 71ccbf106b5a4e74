-- Purpose: whether this role cannot see the age of other roles' transactions.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT format('GRANT pg_read_all_stats TO %I', current_user)
WHERE NOT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
