-- Purpose: the tables whose names are no obstacle to the next exchange of a table (schema $1, name
--   $2): staging ($3), and the old table ($4) that the exchange drops; with the partitions that were
--   registered with them.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE own (oid, of) AS (
    SELECT s.relid, s.of
    FROM sterna.staging AS s
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE s.of = s.relid AND n.nspname = $1
        AND (
            c.relname = $3
            OR c.relname = $4 AND s.relid = (
                SELECT CASE WHEN w.state = 'switched' THEN w.old_relid END
                FROM sterna.switchover AS w
                WHERE w.schema_name = $1 AND w.table_name = $2
                ORDER BY w.switched_at DESC
                LIMIT 1
            )
        )
    UNION ALL
    SELECT s.relid, s.of
    FROM own
    INNER JOIN pg_catalog.pg_inherits AS h ON h.inhparent = own.oid
    INNER JOIN sterna.staging AS s ON s.relid = h.inhrelid AND s.of = own.of
)
SELECT oid FROM own
