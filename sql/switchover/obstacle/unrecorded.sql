-- Purpose: rows of the live table ($1) that were written since its switchover ($2) without
--   being recorded in the journal, and the key of one.
-- Lock: ACCESS SHARE on it. Transaction: either. Undone by: nothing, it only reads.
SELECT row_count, example FROM sterna.unrecorded($1::oid::regclass, $2)
