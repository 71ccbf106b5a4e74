-- Purpose: for each foreign key of the live table ($1): its name; whether the incoming table ($2)
--   has it, validated; the statements that add it there, and those that validate it; the one that
--   drops it from the table that leaves, under its new name ($3); and, if the key deletes rows
--   along with those that they refer to, the one that deletes rows of the incoming table that refer
--   to nothing.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    k.conname::text,
    EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS i
        WHERE i.conrelid = $2 AND i.conname = k.conname AND i.convalidated
            AND pg_catalog.pg_get_constraintdef(i.oid) = pg_catalog.pg_get_constraintdef(k.oid)
    ),
    array_remove(ARRAY[
        CASE WHEN EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS i
            WHERE i.conrelid = $2 AND i.conname = k.conname
        ) THEN format('ALTER TABLE %s DROP CONSTRAINT %I', $2::oid::regclass, k.conname) END,
        format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', $2::oid::regclass, k.conname,
            pg_catalog.pg_get_constraintdef(k.oid))
    ], NULL),
    array_remove(ARRAY[
        format('ALTER TABLE %s VALIDATE CONSTRAINT %I', $2::oid::regclass, k.conname),
        CASE WHEN d.description IS NOT NULL THEN
            format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, $2::oid::regclass,
                d.description)
        END
    ], NULL),
    format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', $3::text, k.conname),
    CASE WHEN k.confdeltype = 'c' THEN (
        SELECT format('DELETE FROM %s AS n WHERE NOT EXISTS (SELECT 1 FROM %s AS p WHERE %s)%s',
            $2::oid::regclass, k.confrelid::regclass,
            string_agg(format('p.%I = n.%I', theirs.attname, ours.attname), ' AND '),
            string_agg(format(' AND n.%I IS NOT NULL', ours.attname), ''))
        FROM unnest(k.conkey, k.confkey) AS pair (ours, theirs)
        INNER JOIN pg_catalog.pg_attribute AS ours
            ON ours.attrelid = k.conrelid AND ours.attnum = pair.ours
        INNER JOIN pg_catalog.pg_attribute AS theirs
            ON theirs.attrelid = k.confrelid AND theirs.attnum = pair.theirs
    ) END
FROM pg_catalog.pg_constraint AS k
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = k.oid AND d.classoid = 'pg_catalog.pg_constraint'::regclass
WHERE k.conrelid = $1 AND k.contype = 'f'
ORDER BY k.conname
