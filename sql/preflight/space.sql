-- Purpose: the folders that a second table of the same size, with its partitions, would fill, and
--   the bytes it needs in each: the data folder, which only some roles may see, and tablespaces.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
),
part AS (
    SELECT oid, pg_catalog.pg_table_size(oid) AS bytes FROM tree
    UNION ALL
    SELECT i.indexrelid, pg_catalog.pg_relation_size(i.indexrelid)
    FROM pg_catalog.pg_index AS i WHERE i.indrelid IN (SELECT oid FROM tree)
),
placed AS (
    SELECT
        nullif(pg_catalog.pg_tablespace_location(
            CASE WHEN c.reltablespace = 0 THEN d.dattablespace ELSE c.reltablespace END
        ), '') AS folder,
        p.bytes
    FROM part AS p
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = p.oid
    INNER JOIN pg_catalog.pg_database AS d ON d.datname = current_database()
)
SELECT
    coalesce(
        folder,
        (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory')
    ),
    sum(bytes)::bigint
FROM placed
GROUP BY 1
