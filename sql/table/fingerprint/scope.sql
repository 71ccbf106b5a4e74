-- Purpose: the objects that a fingerprint covers: a table and everything that depends on it,
--   directly or indirectly, except what sterna itself has added. The partitions of a partitioned
--   table depend on it. The other files of this folder are SELECTs that follow this WITH, joined
--   by UNION ALL. $1 is the table, $2 the tables that sterna made next to it.
-- Lock: ACCESS SHARE on what the views and rules read. Transaction: either.
-- Undone by: nothing, it only reads.
WITH RECURSIVE
-- The table, and the partitions below it.
tree (relid) AS (
    SELECT $1
    UNION
    SELECT p.relid::oid FROM pg_partition_tree($1) AS p
),
-- Everything in sterna's schema, and what is part of it. Somebody else's view that reads
-- sterna's tables is not part of them; a trigger that calls sterna is.
own (classid, objid) AS (
    (
        SELECT 'pg_namespace'::regclass::oid, n.oid
        FROM pg_namespace AS n WHERE n.nspname = 'sterna'
        UNION ALL
        SELECT 'pg_class'::regclass::oid, sibling FROM unnest($2) AS sibling
        UNION ALL
        -- The table left by an earlier switchover uses the same sequences until it is dropped.
        SELECT 'pg_class'::regclass::oid, o.oid
        FROM pg_class AS t
        INNER JOIN pg_class AS o
            ON o.relnamespace = t.relnamespace AND o.relname = t.relname || '_old'
        WHERE t.oid = $1 AND o.relkind IN ('r', 'p')
    )
    UNION
    SELECT d.classid, d.objid
    FROM own
    INNER JOIN pg_depend AS d ON d.refclassid = own.classid AND d.refobjid = own.objid
    WHERE
        own.classid = 'pg_namespace'::regclass
        OR d.deptype IN ('a', 'i')
        OR d.classid = 'pg_trigger'::regclass
),
object (classid, objid) AS (
    SELECT 'pg_class'::regclass::oid, $1
    UNION
    SELECT found.classid, found.objid
    FROM object
    CROSS JOIN LATERAL (
        SELECT d.classid, d.objid
        FROM pg_depend AS d
        WHERE
            d.refclassid = object.classid AND d.refobjid = object.objid
            -- A column depends on its own account, not on its table's.
            AND (d.classid <> 'pg_class'::regclass OR d.objsubid = 0)
        UNION ALL
        -- What a view reads is a dependency of its rule.
        SELECT 'pg_class'::regclass, r.ev_class
        FROM pg_rewrite AS r
        WHERE object.classid = 'pg_rewrite'::regclass AND r.oid = object.objid AND r.ev_type = '1'
    ) AS found
    WHERE (found.classid, found.objid) NOT IN (SELECT own.classid, own.objid FROM own)
        -- Except temporary views.
        AND NOT EXISTS (
            SELECT FROM pg_rewrite AS r
            INNER JOIN pg_class AS c ON c.oid = r.ev_class AND c.relpersistence = 't'
            WHERE found.classid = 'pg_rewrite'::regclass AND r.oid = found.objid
        )
)
