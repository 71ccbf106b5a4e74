-- Purpose: the OID of the table of this name, if it is sterna's own, and whether it has been
--   attached to another table, or to it one that was not registered with it. A partition that has
--   left its table is nobody's own.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    s.relid,
    EXISTS (
        SELECT FROM pg_catalog.pg_inherits AS h
        WHERE h.inhrelid = s.relid
            OR (h.inhparent = s.relid
                OR h.inhparent IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(s.relid) AS t))
            AND h.inhrelid NOT IN (SELECT o.relid FROM sterna.staging AS o WHERE o.of = s.relid)
    )
FROM sterna.staging AS s
INNER JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND (s.of = s.relid OR c.relispartition)
