-- Purpose: records that the statements that follow the exchange have run, such as validating
--   foreign keys.
-- Lock: its row. Transaction: either. Undone by: not needed.
UPDATE sterna.switchover SET to_validate = ARRAY[]::text[] WHERE switchover_id = $1
