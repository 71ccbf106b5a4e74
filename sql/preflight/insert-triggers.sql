-- Purpose: what somebody has the server do whenever a row is inserted into a table ($1) or one of its
--   partitions, one line each: triggers and rules. Rows that sterna loads get neither.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
)
SELECT format('the trigger %I on %s calls %s', t.tgname, t.tgrelid::regclass, t.tgfoid::regprocedure)
FROM pg_catalog.pg_trigger AS t
INNER JOIN tree ON tree.oid = t.tgrelid
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
    -- INSERT.
    AND t.tgtype & 4 = 4
    -- Those that a partition has from the table above it are named once.
    AND t.tgparentid = 0
    AND t.tgname NOT IN ('!sterna_journal', '!sterna_journal_truncate')
UNION ALL
SELECT format('the rule %I on %s', w.rulename, w.ev_class::regclass)
FROM pg_catalog.pg_rewrite AS w
INNER JOIN tree ON tree.oid = w.ev_class
WHERE w.ev_type = '3' AND w.ev_enabled <> 'D'
ORDER BY 1
