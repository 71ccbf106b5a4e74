-- Purpose: the server's own triggers behind foreign keys and deferrable keys, if their state is
--   not the usual one: then the constraint is not enforced. Their names contain OIDs, so they
--   are identified by constraint, table and function.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'constraint trigger',
    format('%s: %s on %s', i.identity, t.tgfoid::regproc, t.tgrelid::regclass),
    'enabled: ' || t.tgenabled::text
FROM pg_trigger AS t
CROSS JOIN LATERAL pg_identify_object('pg_constraint'::regclass, t.tgconstraint, 0) AS i
WHERE
    t.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_trigger'::regclass))
    AND t.tgisinternal AND t.tgenabled <> 'O' AND t.tgconstraint <> 0
