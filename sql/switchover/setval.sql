-- Purpose: the statement that makes an identity continue where the old one was, or after the
--   last row. By then the sequences and the table have their new names: the incoming sequence
--   ($2) has that of the live one ($1), and the live one has the given name.
-- Lock: none, it only produces text.
-- Transaction: either. A rollback does not take back numbers that a sequence has handed out.
-- Undone by: nothing, it only reads.
SELECT format(
    'SELECT pg_catalog.setval(%1$s::pg_catalog.regclass, value, called) FROM ('
    'SELECT last_value AS value, is_called AS called FROM %2$I.%3$I '
    'UNION ALL SELECT last_value, is_called FROM %4$s '
    'UNION ALL SELECT %5$s(%6$I)::bigint, true FROM %7$s '
    'WHERE %6$I BETWEEN %8$L::bigint AND %9$L::bigint) AS place '
    'WHERE value IS NOT NULL ORDER BY value %10$s, called DESC LIMIT 1',
    $2::oid,
    n.nspname,
    $3::text,
    s.oid::regclass,
    CASE WHEN q.seqincrement > 0 THEN 'max' ELSE 'min' END,
    a.attname,
    d.refobjid::regclass,
    q.seqmin,
    q.seqmax,
    CASE WHEN q.seqincrement > 0 THEN 'DESC' ELSE 'ASC' END
)
FROM pg_catalog.pg_class AS s
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
INNER JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = s.oid
INNER JOIN pg_catalog.pg_depend AS d
    ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.oid AND d.deptype = 'i'
    AND d.refclassid = 'pg_catalog.pg_class'::regclass
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE s.oid = $1
