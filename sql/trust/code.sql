-- Purpose: code of untrusted owners that runs when tables are read or written, one line each.
--   For tables whose definition is used ($1): what defaults, generated columns, CHECKs,
--   indexes, statistics, domains and casts of the columns' types call. For tables that are
--   written to ($2): also triggers and rules. For tables joined to them by foreign keys:
--   indexes and statistics, because planning a query evaluates their constant parts. And event
--   triggers of the database. Superusers are trusted, and so is the current role, unless its
--   session is a superuser's that acts as another role: that role's code could change back.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE trusted AS (
    SELECT r.oid
    FROM pg_catalog.pg_roles AS r
    WHERE r.rolsuper
        OR r.rolname = current_user
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_roles AS s WHERE s.rolname = session_user AND s.rolsuper
            )
),
-- Reading a table also reads those that inherit from it.
used (oid) AS (
    SELECT unnest($1::oid[] || $2::oid[])
    UNION
    SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i INNER JOIN used ON i.inhparent = used.oid
),
-- Writing to a partitioned table also writes to its partitions.
written (oid) AS (
    SELECT unnest($2::oid[])
    UNION
    SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i INNER JOIN written ON i.inhparent = written.oid
),
planned (oid) AS (
    SELECT oid FROM used
    UNION
    SELECT side.oid
    FROM pg_catalog.pg_constraint AS c
    CROSS JOIN LATERAL (VALUES (c.conrelid), (c.confrelid)) AS side (oid)
    WHERE c.contype = 'f'
        AND (c.conrelid IN (SELECT oid FROM used) OR c.confrelid IN (SELECT oid FROM used))
),
part (classid, objid) AS (
    -- The columns.
    SELECT 'pg_catalog.pg_class'::regclass, oid FROM used
    UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass, c.reltype
    FROM pg_catalog.pg_class AS c INNER JOIN used ON c.oid = used.oid
    UNION ALL
    SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid
    FROM pg_catalog.pg_attrdef AS d INNER JOIN used ON d.adrelid = used.oid
    UNION ALL
    SELECT 'pg_catalog.pg_constraint'::regclass, c.oid
    FROM pg_catalog.pg_constraint AS c
    INNER JOIN used ON c.conrelid = used.oid
    WHERE c.contype <> 'f'
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass, i.indexrelid
    FROM pg_catalog.pg_index AS i INNER JOIN planned ON i.indrelid = planned.oid
    UNION ALL
    SELECT 'pg_catalog.pg_statistic_ext'::regclass, s.oid
    FROM pg_catalog.pg_statistic_ext AS s INNER JOIN planned ON s.stxrelid = planned.oid
    UNION ALL
    SELECT 'pg_catalog.pg_trigger'::regclass, t.oid
    FROM pg_catalog.pg_trigger AS t
    WHERE t.tgrelid IN (SELECT oid FROM written) AND NOT t.tgisinternal AND t.tgenabled <> 'D'
    UNION ALL
    SELECT 'pg_catalog.pg_rewrite'::regclass, w.oid
    FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class IN (SELECT oid FROM written)
    UNION ALL
    SELECT 'pg_catalog.pg_event_trigger'::regclass, e.oid
    FROM pg_catalog.pg_event_trigger AS e WHERE e.evtenabled <> 'D'
),
walk (classid, objid, via_class, via) AS (
    SELECT classid::oid, objid, classid::oid, objid FROM part
    UNION
    SELECT next.classid, next.objid, walk.via_class, walk.via
    FROM walk
    CROSS JOIN LATERAL (
        SELECT d.refclassid, d.refobjid
        FROM pg_catalog.pg_depend AS d
        WHERE d.classid = walk.classid
            AND d.objid = walk.objid
            AND (
                d.refclassid = 'pg_catalog.pg_proc'::regclass
                -- The types of a function's arguments and result are its owner's
                -- responsibility.
                OR d.refclassid IN ('pg_catalog.pg_type'::regclass, 'pg_catalog.pg_operator'::regclass)
                    AND walk.classid NOT IN (
                        'pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_operator'::regclass,
                        'pg_catalog.pg_cast'::regclass
                    )
            )
        UNION ALL
        -- Columns of a composite type.
        SELECT 'pg_catalog.pg_class'::regclass, t.typrelid
        FROM pg_catalog.pg_type AS t
        WHERE walk.classid = 'pg_catalog.pg_type'::regclass
            AND t.oid = walk.objid AND t.typrelid <> 0
        UNION ALL
        SELECT 'pg_catalog.pg_constraint'::regclass, c.oid
        FROM pg_catalog.pg_constraint AS c
        WHERE walk.classid = 'pg_catalog.pg_type'::regclass AND c.contypid = walk.objid
        UNION ALL
        SELECT 'pg_catalog.pg_cast'::regclass, c.oid
        FROM pg_catalog.pg_cast AS c
        WHERE walk.classid = 'pg_catalog.pg_type'::regclass
            AND c.castfunc <> 0
            AND walk.objid IN (c.castsource, c.casttarget)
            -- The owner of another type can create a cast to it, but nothing here uses that.
            AND (c.castsource < 16384 OR c.casttarget < 16384)
    ) AS next (classid, objid)
)
SELECT format(
    'function %s of %I, by %s',
    p.oid::regprocedure,
    pg_catalog.pg_get_userbyid(p.proowner),
    string_agg(DISTINCT pg_catalog.pg_describe_object(walk.via_class, walk.via, 0), ', ')
)
FROM walk
INNER JOIN pg_catalog.pg_proc AS p ON p.oid = walk.objid
WHERE walk.classid = 'pg_catalog.pg_proc'::regclass
    AND p.proowner NOT IN (SELECT oid FROM trusted)
GROUP BY p.oid, p.proowner
ORDER BY 1
