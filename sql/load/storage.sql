-- Purpose: where staging keeps its rows, and as what it keeps the columns $2. As long as that is
--   the same and no transaction has written to it, the rows have the same values.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT concat_ws(
    ' ',
    pg_relation_filenode($1::oid),
    (
        SELECT string_agg(pg_relation_filenode(t.relid)::text, ' ' ORDER BY t.relid)
        FROM pg_catalog.pg_partition_tree($1::oid) AS t
        WHERE t.relid <> $1
    ),
    string_agg(
        concat_ws(':', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation),
        ' ' ORDER BY a.attnum
    )
)
FROM pg_catalog.pg_attribute AS a
WHERE a.attrelid = $1 AND a.attname = ANY ($2::text[]) AND NOT a.attisdropped
