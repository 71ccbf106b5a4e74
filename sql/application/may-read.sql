-- Purpose: whether a role may read a relation or call a function, given by name or signature,
--   and use its schema.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    pg_catalog.has_schema_privilege($1::name, o.namespace, 'USAGE')
    AND coalesce(
        pg_catalog.has_any_column_privilege($1::name, o.relation, 'SELECT'),
        pg_catalog.has_function_privilege($1::name, o.routine, 'EXECUTE')
    )
FROM (
    SELECT oid AS relation, NULL::oid AS routine, relnamespace AS namespace
    FROM pg_catalog.pg_class
    WHERE oid = pg_catalog.to_regclass($2)
    UNION ALL
    SELECT NULL, oid, pronamespace
    FROM pg_catalog.pg_proc
    WHERE oid = pg_catalog.to_regprocedure($3)
) AS o
