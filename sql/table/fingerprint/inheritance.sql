-- Purpose: the table's parents and children, including partitions.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'inheritance',
    format('%s from %s', h.inhrelid::regclass, h.inhparent::regclass),
    'place: ' || h.inhseqno || CASE WHEN h.inhdetachpending THEN ', being detached' ELSE '' END
FROM pg_inherits AS h
WHERE h.inhrelid IN (SELECT relid FROM tree) OR h.inhparent IN (SELECT relid FROM tree)
