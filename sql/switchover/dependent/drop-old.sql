-- Purpose: one statement that drops the views and routines that were renamed out of the way, in
--   the given order. It names them by their OIDs, because the types in a routine's signature
--   have new names by then; it fails if anything still depends on one.
-- Lock: none, it only produces text. Transaction: either. Undone by: nothing, it only reads.
SELECT format(
    $text$DO $do$
    DECLARE
        classes CONSTANT oid[] := %L;
        objects CONSTANT oid[] := %L;
        kind "char";
    BEGIN
        FOR i IN 1 .. pg_catalog.cardinality(objects) LOOP
            IF classes[i] = 'pg_catalog.pg_proc'::pg_catalog.regclass THEN
                EXECUTE pg_catalog.format('DROP ROUTINE %%s RESTRICT', objects[i]::regprocedure);
            ELSE
                SELECT relkind INTO kind FROM pg_catalog.pg_class WHERE oid = objects[i];
                EXECUTE pg_catalog.format('DROP %%s %%s RESTRICT',
                    CASE kind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
                    objects[i]::regclass);
            END IF;
        END LOOP;
    END
    $do$$text$,
    $1::oid[],
    $2::oid[]
)
