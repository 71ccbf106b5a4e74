-- Purpose: records that the foreign keys of other tables are checked.
-- Lock: its row. Transaction: either. Undone by: nothing needs to.
UPDATE sterna.switchover SET to_validate = ARRAY[]::text[] WHERE switchover_id = $1
