-- Purpose: the constraints of the table and its partitions, the foreign keys of others that refer to it, and
--   constraints elsewhere that call a function that depends on it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    CASE
        WHEN con.contype = 'f' AND con.conrelid NOT IN (SELECT relid FROM tree) THEN 'incoming foreign key'
        WHEN con.contype = 'f' THEN 'foreign key'
        ELSE 'constraint'
    END,
    -- The server chooses the name of a key to a single partition, by those that are in use.
    CASE WHEN con.contype = 'f' AND p.confrelid <> con.confrelid
        THEN format('on %s, to %s', con.conrelid::regclass, con.confrelid::regclass)
        ELSE i.identity END,
    concat_ws(
        E'\n',
        'definition: ' || pg_get_constraintdef(con.oid),
        'validated: ' || con.convalidated,
        'deferrable: ' || nullif(con.condeferrable, false),
        'deferred: ' || nullif(con.condeferred, false),
        -- A key that is attached to a parent's says so and one that is created with it does not:
        -- it means nothing, as a partition has no heirs.
        'no inherit: ' || CASE
            WHEN con.contype IN ('c', 'n') OR con.conparentid = 0
                THEN nullif(con.connoinherit, false)
        END,
        'inherited: ' || nullif(con.coninhcount, 0),
        'parent: ' || CASE WHEN p.contype <> 'f' OR p.confrelid = con.confrelid
            THEN format('%I on %s', p.conname, p.conrelid::regclass) END,
        -- A foreign key could depend on another unique index on the same columns.
        'index: ' || nullif(con.conindid, 0)::regclass
    )
FROM pg_constraint AS con
LEFT JOIN pg_constraint AS p ON p.oid = con.conparentid
CROSS JOIN LATERAL pg_identify_object('pg_constraint'::regclass, con.oid, 0) AS i
WHERE con.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_constraint'::regclass))
