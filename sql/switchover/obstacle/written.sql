-- Purpose: the rows of the live table ($1) written to since it replaced the other one ($2):
--   inserted, updated, deleted; how many of the updated ones only the new release has; whether
--   it was truncated; how many rows that others refer to only it has.
-- Lock: ACCESS SHARE on both and on the tables that refer to them. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT inserted, updated, deleted, only_in_new, truncated,
    sterna.count_referred($1::oid::regclass, $2::oid::regclass)
FROM sterna.written_since($1::oid::regclass, $2::oid::regclass)
