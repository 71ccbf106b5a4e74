-- Purpose: why a partition ($1) cannot be replaced, one reason a line: what would be lost or
--   refused when it is detached and another is attached. None for a table that is no partition.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH leaf AS (
    SELECT c.oid, h.inhparent AS parent, h.inhdetachpending
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid
    WHERE c.oid = $1 AND c.relispartition
)
SELECT format('it is a partition of %s, which belongs to another role', leaf.parent::regclass)
FROM leaf
INNER JOIN pg_catalog.pg_class AS p ON p.oid = leaf.parent
WHERE NOT pg_catalog.pg_has_role(p.relowner, 'USAGE')
UNION ALL
-- Their foreign keys are dropped and added again.
SELECT DISTINCT format('the table %s, which belongs to another role, refers to %s by a foreign key',
    c.conrelid::regclass, a.relid)
FROM leaf
CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(leaf.oid) AS a
INNER JOIN pg_catalog.pg_constraint AS c
    ON c.confrelid = a.relid AND c.contype = 'f' AND c.conparentid = 0
INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.conrelid
WHERE a.relid <> leaf.oid AND NOT pg_catalog.pg_has_role(r.relowner, 'USAGE')
UNION ALL
SELECT format('%s has a constraint of its own named sterna_partition', a.relid)
FROM leaf
CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(leaf.oid) AS a
INNER JOIN pg_catalog.pg_constraint AS c ON c.conrelid = a.relid
WHERE c.conname = 'sterna_partition'
UNION ALL
SELECT format('%s is being replaced as a whole, or has been: with it as --table, '
    '`sterna rollback 1.1`, `sterna stage drop` or `sterna cleanup --older-than 0s` ends that', a.relid)
FROM leaf
CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(leaf.oid) AS a
INNER JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = leaf.oid AND t.tgname = '!sterna_journal'
INNER JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid AND p.proname = 'journal_' || a.relid::oid
WHERE a.relid <> leaf.oid
UNION ALL
SELECT 'it is being detached from ' || parent::regclass FROM leaf WHERE inhdetachpending
UNION ALL
-- Its bound would call functions that may belong to others.
SELECT format('%s is partitioned by an expression', a.relid)
FROM leaf
CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(leaf.oid) AS a
INNER JOIN pg_catalog.pg_partitioned_table AS k ON k.partrelid = a.relid
WHERE k.partexprs IS NOT NULL
UNION ALL
SELECT format('the foreign key %I on %s, which is partitioned, refers to %s, of which it is a '
    'partition', top.conname, top.conrelid::regclass, top.confrelid::regclass)
FROM leaf
INNER JOIN pg_catalog.pg_constraint AS c
    ON c.confrelid = leaf.oid AND c.contype = 'f' AND c.conparentid <> 0
INNER JOIN pg_catalog.pg_constraint AS top ON top.oid = c.conparentid
INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.conrelid
WHERE r.relkind <> 'r' OR c.conrelid IN (
    SELECT t.relid
    FROM pg_catalog.pg_partition_tree(pg_catalog.pg_partition_root(leaf.oid)) AS t
)
UNION ALL
SELECT format('its foreign key %I refers to the partitioned table %s',
    c.conname, c.confrelid::regclass)
FROM leaf
INNER JOIN pg_catalog.pg_constraint AS c ON c.conrelid = leaf.oid AND c.contype = 'f'
INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.confrelid AND r.relkind = 'p'
UNION ALL
-- Since PostgreSQL 17, partitions share the identity of the partitioned table, and a table that
-- is attached must not have one.
SELECT format('its column %I is an identity of the partitioned table', a.attname)
FROM leaf
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = leaf.oid AND a.attidentity <> ''
WHERE pg_catalog.current_setting('server_version_num')::integer >= 170000
UNION ALL
SELECT format('the index %s of %s has no counterpart on it', x.indexrelid::regclass,
    leaf.parent::regclass)
FROM leaf
INNER JOIN pg_catalog.pg_index AS x ON x.indrelid = leaf.parent
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_inherits AS h
    INNER JOIN pg_catalog.pg_index AS i ON i.indexrelid = h.inhrelid AND i.indrelid = leaf.oid
    WHERE h.inhparent = x.indexrelid
)
UNION ALL
-- ATTACH PARTITION would choose one of them.
SELECT format('its index %s is equal to %s, which belongs to an index of %s',
    o.indexrelid::regclass, i.indexrelid::regclass, leaf.parent::regclass)
FROM leaf
INNER JOIN pg_catalog.pg_index AS i ON i.indrelid = leaf.oid
INNER JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = i.indexrelid
INNER JOIN pg_catalog.pg_index AS o
    ON o.indrelid = leaf.oid AND o.indexrelid <> i.indexrelid AND o.indisunique = i.indisunique
WHERE regexp_replace(pg_catalog.pg_get_indexdef(o.indexrelid), '^.*? USING ', '')
    = regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^.*? USING ', '')
UNION ALL
-- Its rows are read under the lock, in case one of them belongs to the new partition.
SELECT format('the default partition %s has %s, which would be read while others wait',
    k.partdefid::regclass, pg_catalog.pg_size_pretty(size.bytes))
FROM leaf
INNER JOIN pg_catalog.pg_partitioned_table AS k ON k.partrelid = leaf.parent
CROSS JOIN LATERAL (
    SELECT sum(pg_catalog.pg_relation_size(t.relid))::bigint AS bytes
    FROM pg_catalog.pg_partition_tree(k.partdefid) AS t
) AS size
WHERE k.partdefid NOT IN (0, leaf.oid) AND size.bytes > 134217728
