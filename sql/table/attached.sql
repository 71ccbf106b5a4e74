-- Purpose: fails if a table ($1) that is to be emptied or dropped has been attached to another one,
--   or another one to it: its rows belong to others then. The detail is what separates them.
-- Lock: ACCESS EXCLUSIVE on the table keeps the answer true. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT sterna.refuse(
    'SN022',
    format('%s has been attached to %s', h.inhrelid::regclass, h.inhparent::regclass),
    format(
        CASE WHEN c.relispartition THEN 'ALTER TABLE %2$s DETACH PARTITION %1$s'
            ELSE 'ALTER TABLE %1$s NO INHERIT %2$s' END,
        h.inhrelid::regclass, h.inhparent::regclass
    )
)
FROM pg_catalog.pg_inherits AS h
INNER JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid
WHERE $1 IN (h.inhrelid, h.inhparent)
LIMIT 1
