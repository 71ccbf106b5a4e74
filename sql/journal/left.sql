-- Purpose: the tables that have left a table ($1) as its partitions and still have the triggers of its
--   journal: the statement that locks each like the table, and, for one that belongs to a role of
--   which this one is no member, the statements that its owner has to run instead.
-- Lock: ACCESS SHARE on the partitions. Transaction: either. Undone by: nothing, it only reads.
SELECT
    c.oid,
    format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', c.oid::regclass),
    CASE WHEN NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN
        string_agg(format('DROP TRIGGER %I ON %s', t.name, c.oid::regclass), '; ' ORDER BY t.name)
    END,
    c.oid::regclass::text
FROM sterna.journal_triggers($1) AS t
INNER JOIN pg_catalog.pg_class AS c ON c.oid = t.holder
WHERE c.oid NOT IN (SELECT h FROM sterna.row_holders($1) AS h)
GROUP BY c.oid, c.relowner
ORDER BY c.oid
