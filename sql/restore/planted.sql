-- Purpose: whether the database holds anything but schemas and what belongs to extensions.
--   Extensions are created by a superuser, whose search path must hold nobody else's objects.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (
    SELECT
    FROM (
        SELECT 'pg_catalog.pg_class'::regclass, oid FROM pg_catalog.pg_class
        UNION ALL
        SELECT 'pg_catalog.pg_proc'::regclass, oid FROM pg_catalog.pg_proc
        UNION ALL
        SELECT 'pg_catalog.pg_type'::regclass, oid FROM pg_catalog.pg_type
        UNION ALL
        SELECT 'pg_catalog.pg_operator'::regclass, oid FROM pg_catalog.pg_operator
        UNION ALL
        SELECT 'pg_catalog.pg_cast'::regclass, oid FROM pg_catalog.pg_cast
    ) AS made (classid, objid)
    -- What initdb creates has lower OIDs.
    WHERE objid >= 16384
        AND NOT EXISTS (
            SELECT
            FROM pg_catalog.pg_depend AS d
            WHERE d.classid = made.classid AND d.objid = made.objid AND d.deptype IN ('e', 'i')
        )
)
