-- Purpose: distributes an empty table ($1) by a column ($2) as another one ($3) is: its shards
--   have the same ranges, on the same nodes.
-- Lock: ACCESS EXCLUSIVE on the new table, and those of Citus on the distribution of the other.
-- Transaction: yes, that of table/stage/create.sql. Undone by: table/stage/drop.sql.
SELECT pg_catalog.create_distributed_table(
    $1::oid::regclass, $2::text, colocate_with => $3::oid::regclass::text
)
