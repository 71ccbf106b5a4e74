-- Purpose: carries writes over in a direction.
-- Lock: ROW EXCLUSIVE on the target. Transaction: yes. Undone by: its rollback.
SELECT entries, inserted, updated, deleted
FROM sterna.replay($1::oid::regclass, $2::oid::regclass, $3)
