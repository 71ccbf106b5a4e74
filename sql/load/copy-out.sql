-- Purpose: reads back a range of staging's pages, each row with the transaction that wrote it.
-- Lock: ACCESS SHARE on staging. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
COPY (
    SELECT xmin, {values} FROM {staging} WHERE ctid >= {from} AND ctid < {to}
) TO STDOUT (FORMAT binary)
