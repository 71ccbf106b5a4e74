-- Purpose: creates an empty table with the structure of production or of one of its partitions,
--   partitioned as that is, without its indexes.
-- Lock: ACCESS SHARE on production. Transaction: yes, with the revokes after it.
-- Undone by: table/stage/drop.sql.
CREATE TABLE {staging} (
    LIKE {table}
    INCLUDING COMPRESSION INCLUDING CONSTRAINTS INCLUDING DEFAULTS
    INCLUDING GENERATED INCLUDING STORAGE {identity}
) {partitioning}
