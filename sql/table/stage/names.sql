-- Purpose: everything of a partitioned table ($1) that has a name of its own, and whose counterpart in
--   staging and then in the old table gets a name made from it: the table, its partitions, and the
--   indexes, identity sequences and extended statistics of all these.
-- Lock: none, it only reads the catalog. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION ALL
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON tree.oid = h.inhparent
)
SELECT CASE WHEN c.relkind IN ('r', 'p') THEN 'table' ELSE 'relation' END,
    n.nspname::text, c.relname::text
FROM (
    SELECT oid FROM tree
    UNION ALL
    SELECT i.indexrelid FROM pg_catalog.pg_index AS i WHERE i.indrelid IN (SELECT oid FROM tree)
    UNION ALL
    SELECT d.objid
    FROM pg_catalog.pg_depend AS d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i'
        AND d.refclassid = 'pg_catalog.pg_class'::regclass
        AND d.refobjid IN (SELECT oid FROM tree) AND d.refobjsubid > 0
) AS named
INNER JOIN pg_catalog.pg_class AS c ON c.oid = named.oid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
UNION ALL
SELECT 'statistics', n.nspname::text, e.stxname::text
FROM pg_catalog.pg_statistic_ext AS e
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
WHERE e.stxrelid IN (SELECT oid FROM tree)
