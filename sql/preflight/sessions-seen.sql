-- Purpose: whether this role cannot see how old other roles' transactions are.
-- Lock: none, it reads the catalog. Transaction: either. Undone by: nothing, it reads.
SELECT format('GRANT pg_read_all_stats TO %I', current_user)
WHERE NOT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
