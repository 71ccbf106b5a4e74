-- Purpose: how Citus distributes the table: its shards, and the groups of nodes that they are on.
--   Nothing, and no round trip, in a database without Citus: its catalog is named in a text that
--   is parsed only where it exists.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'distribution' AS kind,
    i.identity AS key,
    substring(found.text FROM '<facts>(.*)</facts>') AS definition
FROM pg_identify_object('pg_class'::regclass, $1, 0) AS i
CROSS JOIN LATERAL (
    SELECT CASE WHEN to_regclass('pg_catalog.pg_dist_placement') IS NOT NULL THEN
        query_to_xml(
            format(
                $citus$
                SELECT concat_ws(
                    E'\n',
                    'method: ' || p.partmethod::text,
                    'column: ' || pg_catalog.column_to_column_name(p.logicalrelid, p.partkey),
                    'colocation: ' || p.colocationid,
                    'replication: ' || p.repmodel::text,
                    'shards: ' || (
                        SELECT string_agg(
                            concat_ws(
                                ' ', s.shardminvalue, s.shardmaxvalue, (
                                    SELECT string_agg(l.groupid::text, '+' ORDER BY l.groupid)
                                    FROM pg_catalog.pg_dist_placement AS l
                                    WHERE l.shardid = s.shardid
                                )
                            ),
                            ', ' ORDER BY s.shardminvalue
                        )
                        FROM pg_catalog.pg_dist_shard AS s
                        WHERE s.logicalrelid = p.logicalrelid
                    )
                ) AS facts
                FROM pg_catalog.pg_dist_partition AS p
                WHERE p.logicalrelid = %s
                $citus$,
                $1::oid
            ),
            false, true, ''
        )::text
    END AS text
) AS found
WHERE found.text LIKE '%<facts>%'
