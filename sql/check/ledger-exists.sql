-- Purpose: whether this role has a ledger to read in this database.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT EXISTS (
    SELECT
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'sterna'
        AND c.relname = 'switchover_activity'
        AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
)
