-- Purpose: deletes the rows of staging whose species is gone, as the foreign key would have
--   done, and returns each with the transaction that wrote it.
-- Lock: ROW EXCLUSIVE on staging, ACCESS SHARE on the referenced table.
-- Transaction: yes, with ledger/insert-cascade.sql. Undone by: nothing; the rows cannot stay.
COPY (
    DELETE FROM {staging} AS s
    WHERE s.{column} IS NOT NULL
        AND NOT EXISTS (SELECT FROM {referred} AS r WHERE r.{key} = s.{column})
    RETURNING s.xmin, {values}
) TO STDOUT (FORMAT binary)
