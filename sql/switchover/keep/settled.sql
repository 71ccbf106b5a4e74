-- Purpose: what an earlier attempt at a rollback did, by the new table ($1): which writes it
--   carried back, how many so far, and where it saved the others.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT c.keep, c.entries, n.nspname::text, r.relname::text
FROM sterna.carrying AS c
LEFT JOIN sterna.switchover AS s ON s.new_relid = c.relid AND s.state = 'switched'
LEFT JOIN pg_catalog.pg_class AS r ON r.oid = s.left_relid
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
WHERE c.relid = $1 AND c.toward = 'old'
