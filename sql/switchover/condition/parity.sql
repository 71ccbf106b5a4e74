-- Purpose: compares what the catalog says of a table ($1, next to $2) with what is expected
--   ($3, entries as JSON). The live table must not have been altered. The incoming one must
--   match the outgoing one, except for columns that were given another type on request ($4, as
--   JSON), which are returned and recorded with the switchover ($6, if there is one), and for
--   foreign keys that are validated after the commit ($5). Otherwise it fails with an SQLSTATE
--   ($7), and the error's detail has the differences.
-- Lock: those of the exchange keep the answer true. Transaction: yes. Undone by: its rollback.
WITH now AS MATERIALIZED (
    SELECT n.kind, n.key, n.definition FROM ({fingerprint}) AS n (kind, key, definition)
),
expected AS MATERIALIZED (
    SELECT e.kind, e.key, e.definition
    FROM jsonb_to_recordset($3) AS e (kind text, key text, definition text)
),
judged AS MATERIALIZED (
    SELECT
        d.kind, d.key, d.before, d.after,
        d.kind = 'column' AND EXISTS (
            SELECT FROM jsonb_to_recordset($4) AS c (before text, after text)
            WHERE d.after = replace(
                d.before, 'type: ' || c.before || E'\n', 'type: ' || c.after || E'\n'
            )
        ) AS is_asked_for,
        $5
        AND (
            d.kind IN ('foreign key', 'incoming foreign key')
            AND d.before = replace(
                replace(d.after, ' NOT VALID', ''), 'validated: false', 'validated: true'
            )
            OR d.before = replace(d.after, 'populated: false', 'populated: true')
        ) AS is_settled_later
    FROM (
        SELECT kind, key, b.definition AS before, a.definition AS after
        FROM (SELECT * FROM expected EXCEPT SELECT * FROM now) AS b
        FULL JOIN (SELECT * FROM now EXCEPT SELECT * FROM expected) AS a USING (kind, key)
    ) AS d
),
difference AS MATERIALIZED (
    SELECT
        kind,
        key,
        jsonb_build_object('kind', kind, 'key', key, 'before', before, 'after', after) AS entry,
        coalesce(is_asked_for, false) AS is_asked_for,
        coalesce(is_settled_later, false) AS is_settled_later
    FROM judged
),
refusal AS MATERIALIZED (
    SELECT sterna.refuse($7, 'the catalog says something else of the table', jsonb_agg(d.entry ORDER BY d.kind, d.key)::text)
    FROM difference AS d
    WHERE NOT d.is_asked_for AND NOT d.is_settled_later
    HAVING count(*) > 0
),
exception AS MATERIALIZED (
    SELECT coalesce(jsonb_agg(d.entry ORDER BY d.kind, d.key), '[]') AS entries
    FROM difference AS d WHERE d.is_asked_for
),
recorded AS (
    UPDATE sterna.switchover SET exceptions = (SELECT e.entries FROM exception AS e)
    WHERE switchover_id = $6
)
SELECT e.entries, (SELECT count(*) FROM refusal) FROM exception AS e
