-- Purpose: the statements by which the partitioned tables of staging ($1) belong to this role while
--   rows are loaded: their owner could attach a partition with a trigger, in the moment between the
--   look for such code and the rows. The exchange gives them back.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: switchover/prepare/owner.sql.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
)
SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, current_user)
FROM tree INNER JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid
WHERE c.relkind = 'p' AND c.relowner <> current_user::regrole::oid
