-- Purpose: why a partitioned table ($1) cannot be replaced as a whole, one reason a line. None for
--   a table that is not partitioned.
-- Lock: ACCESS SHARE on its partitions. Transaction: either.
-- Undone by: nothing, it only reads.
WITH RECURSIVE tree AS (
    SELECT c.oid, c.relkind, c.relowner, c.relpersistence, c.reloftype
    FROM pg_catalog.pg_class AS root
    CROSS JOIN LATERAL pg_catalog.pg_partition_tree(root.oid) AS t
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = t.relid
    WHERE root.oid = $1 AND root.relkind = 'p'
),
-- The keys of the table and of its partitions, and those that partitions have from them.
named (oid, name) AS (
    SELECT c.oid, c.conname
    FROM pg_catalog.pg_constraint AS c
    WHERE c.conrelid IN (SELECT oid FROM tree) AND c.contype = 'f' AND c.conparentid = 0
    UNION ALL
    SELECT c.oid, named.name
    FROM pg_catalog.pg_constraint AS c INNER JOIN named ON c.conparentid = named.oid
    WHERE c.contype = 'f'
)
SELECT 'it has no partitions' FROM tree WHERE oid = $1
    AND NOT EXISTS (SELECT FROM tree AS leaf WHERE leaf.relkind <> 'p')
UNION ALL
SELECT format('its partition %s is %s', oid::regclass, CASE
    WHEN relkind = 'f' THEN 'a foreign table'
    WHEN relpersistence = 'u' THEN 'unlogged: a crash would empty it'
    WHEN relpersistence = 't' THEN 'temporary'
    ELSE 'a typed table, of type ' || reloftype::regtype
END)
FROM tree
WHERE oid <> $1 AND (relkind NOT IN ('r', 'p') OR relpersistence <> 'p' OR reloftype <> 0)
UNION ALL
SELECT format('its partition %s belongs to another role', oid::regclass)
FROM tree WHERE oid <> $1 AND NOT pg_catalog.pg_has_role(relowner, 'USAGE')
UNION ALL
-- Its bounds would call functions that may belong to others.
SELECT format('%s is partitioned by an expression', k.partrelid::regclass)
FROM pg_catalog.pg_partitioned_table AS k
WHERE k.partrelid IN (SELECT oid FROM tree) AND k.partexprs IS NOT NULL
UNION ALL
SELECT format('its partition %s is being detached', h.inhrelid::regclass)
FROM pg_catalog.pg_inherits AS h
WHERE h.inhparent IN (SELECT oid FROM tree) AND h.inhdetachpending
UNION ALL
SELECT format('the foreign key %I on %s refers to %s, which is partitioned or a part of it',
    c.conname, c.conrelid::regclass, c.confrelid::regclass)
FROM pg_catalog.pg_constraint AS c
INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.confrelid
WHERE c.conrelid IN (SELECT oid FROM tree) AND c.contype = 'f' AND c.conparentid = 0
    AND (r.relkind = 'p' OR c.confrelid IN (SELECT oid FROM tree))
UNION ALL
SELECT DISTINCT format('the table %s, which belongs to another role, refers to it by a foreign key',
    c.conrelid::regclass)
FROM pg_catalog.pg_constraint AS c
INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.conrelid
WHERE c.confrelid IN (SELECT oid FROM tree) AND c.contype = 'f' AND c.conparentid = 0
    AND NOT pg_catalog.pg_has_role(r.relowner, 'USAGE')
UNION ALL
-- The server would have to choose another name for the key, as it once did.
SELECT format('its partition %s has another constraint with the name of the foreign key %I, which '
    'it has from the table above it', o.conrelid::regclass, o.conname)
FROM named
INNER JOIN pg_catalog.pg_constraint AS k ON k.oid = named.oid AND k.conparentid <> 0
INNER JOIN pg_catalog.pg_constraint AS o
    ON o.conrelid = k.conrelid AND o.conname = named.name AND o.contype <> 'f'
UNION ALL
-- An index of the partitioned table would take one of them.
SELECT format('the index %s is equal to %s, which belongs to an index of the partitioned table',
    o.indexrelid::regclass, i.indexrelid::regclass)
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = i.indexrelid
INNER JOIN pg_catalog.pg_index AS o
    ON o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid AND o.indisunique = i.indisunique
WHERE i.indrelid IN (SELECT oid FROM tree)
    AND regexp_replace(pg_catalog.pg_get_indexdef(o.indexrelid), '^.*? USING ', '')
    = regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^.*? USING ', '')
UNION ALL
SELECT format('its partition %s is being replaced by itself, or has been: with this partition as --table, '
    '`sterna rollback 1.1`, `sterna stage drop` or `sterna cleanup --older-than 0s` ends that',
    t.tgrelid::regclass)
FROM pg_catalog.pg_trigger AS t
INNER JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
WHERE t.tgrelid IN (SELECT oid FROM tree) AND t.tgname = '!sterna_journal'
    AND p.proname = 'journal_' || t.tgrelid
UNION ALL
-- The exchange locks both tables, the old one that it drops, and all their indexes.
SELECT format('replacing it takes about %s locks at a time, and the server has room for %s: '
    'max_locks_per_transaction has to be at least %s, which takes a restart of the server',
    n.needed, s.room, ceil(n.needed / 0.75 / s.backends))
FROM (
    SELECT 4 * (
        (SELECT count(*) FROM tree)
        + (SELECT count(*) FROM pg_catalog.pg_index WHERE indrelid IN (SELECT oid FROM tree))
    ) AS needed
) AS n
CROSS JOIN (
    SELECT
        pg_catalog.current_setting('max_connections')::bigint
            + pg_catalog.current_setting('max_prepared_transactions')::bigint AS backends,
        pg_catalog.current_setting('max_locks_per_transaction')::bigint * (
            pg_catalog.current_setting('max_connections')::bigint
            + pg_catalog.current_setting('max_prepared_transactions')::bigint
        ) AS room
) AS s
WHERE n.needed > 0.75 * s.room
