-- Purpose: whether a superuser works on a table that does not belong to a superuser: the owner
--   of a table decides what code runs when it is written to.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT format('%s is a superuser and the table belongs to %s, who is none', me.rolname, o.rolname)
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_roles AS o ON o.oid = c.relowner
CROSS JOIN pg_catalog.pg_roles AS me
WHERE c.oid = $1 AND me.rolname = session_user AND me.rolsuper AND NOT o.rolsuper
