-- Purpose: the sequences behind a table's columns: the statements to run before the table is
--   created, and those that restore ownership and position afterwards.
-- Lock: none. Transaction: yes, on the backup's snapshot. Undone by: nothing, it only reads.
SELECT
    CASE WHEN dep.deptype = 'a' THEN pg_catalog.format(
        E'CREATE SEQUENCE %I.%I AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s%s;\n',
        sn.nspname, s.relname, pg_catalog.format_type(seq.seqtypid, NULL), seq.seqincrement,
        seq.seqmin, seq.seqmax, seq.seqstart, CASE WHEN seq.seqcycle THEN ' CYCLE' ELSE '' END
    ) ELSE '' END,
    CASE WHEN dep.deptype = 'a' THEN pg_catalog.format(
        E'ALTER SEQUENCE %I.%I OWNED BY %I.%I.%I;\n',
        sn.nspname, s.relname, n.nspname, c.relname, a.attname
    ) ELSE '' END
    || coalesce(pg_catalog.format(
        E'SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence(%L, %L), %s);\n',
        pg_catalog.format('%I.%I', n.nspname, c.relname), a.attname,
        pg_catalog.pg_sequence_last_value(s.oid)::text
    ), '')
FROM pg_catalog.pg_depend AS dep
INNER JOIN pg_catalog.pg_class AS s ON s.oid = dep.objid AND s.relkind = 'S'
INNER JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.relnamespace
INNER JOIN pg_catalog.pg_sequence AS seq ON seq.seqrelid = s.oid
INNER JOIN pg_catalog.pg_class AS c ON c.oid = dep.refobjid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = dep.refobjsubid
WHERE dep.classid = 'pg_catalog.pg_class'::regclass
    AND dep.refclassid = 'pg_catalog.pg_class'::regclass
    AND dep.refobjid = $1 AND dep.refobjsubid > 0 AND dep.deptype IN ('a', 'i')
ORDER BY s.relname
