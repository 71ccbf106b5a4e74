-- Purpose: the table's parents and children, partitions among them.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT
    'inheritance',
    format('%s from %s', h.inhrelid::regclass, h.inhparent::regclass),
    'place: ' || h.inhseqno
FROM pg_inherits AS h
WHERE h.inhrelid = $1 OR h.inhparent = $1
