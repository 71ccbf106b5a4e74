-- Purpose: the tables whose rows a rehearsal needs in addition to the tables $1: those that refer
--   to one of them, and the synonyms that loads accept. $2 are the tables that sterna made next to
--   the table, which are left out.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT c.oid
FROM pg_catalog.pg_class AS c
WHERE c.oid <> ALL ($2::oid[])
    AND (
        c.oid = pg_catalog.to_regclass('sterna.synonym')
        OR EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS con
            WHERE con.contype = 'f' AND con.conrelid = c.oid AND con.confrelid = ANY($1::oid[])
        )
    )
