-- Purpose: statements that lock relations against everybody, in the given order. LOCK would
--   also lock everything that a view reads; setting a view's owner to the owner it has locks
--   only the view.
-- Lock: none, it only produces text. Transaction: either. Undone by: nothing, it only reads.
SELECT CASE c.relkind
    WHEN 'v' THEN format('ALTER VIEW %s OWNER TO %I', c.oid::regclass, r.rolname)
    WHEN 'm' THEN format('ALTER MATERIALIZED VIEW %s OWNER TO %I', c.oid::regclass, r.rolname)
    -- Of a partitioned table only what is listed, not every partition.
    ELSE format(
        'LOCK TABLE %s%s IN ACCESS EXCLUSIVE MODE',
        CASE WHEN EXISTS (
            SELECT FROM pg_catalog.pg_inherits AS i
            WHERE i.inhparent = c.oid AND i.inhrelid = ANY ($1)
        ) THEN 'ONLY ' ELSE '' END,
        c.oid::regclass
    )
END
FROM unnest($1::oid[]) WITH ORDINALITY AS wanted (oid, position)
INNER JOIN pg_catalog.pg_class AS c ON c.oid = wanted.oid
INNER JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
WHERE c.relkind IN ('v', 'm')
    -- A table that this role only refers to is locked by the foreign key itself.
    OR c.relkind IN ('r', 'p')
    AND pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
ORDER BY wanted.position
