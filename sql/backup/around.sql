-- Purpose: tables whose rows a rehearsal needs beside the given one: those that refer to
--   it, and the synonyms that loads accept. $1 is the table, $2 what sterna made beside it.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT c.oid
FROM pg_catalog.pg_class AS c
WHERE c.oid <> ALL ($2::oid[])
    AND (
        c.oid = pg_catalog.to_regclass('sterna.synonym')
        OR EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS con
            WHERE con.contype = 'f' AND con.conrelid = c.oid AND con.confrelid = $1
        )
    )
