-- Purpose: the catalog says of a table ($1, beside $2) what it said before ($3, entries as
--   JSON). Otherwise the error's detail has the differences.
-- Lock: those of the exchange keep the answer true. Transaction: yes.
-- Undone by: nothing, it reads.
WITH now AS MATERIALIZED (
    SELECT n.kind, n.key, n.definition FROM ({fingerprint}) AS n (kind, key, definition)
),
expected AS MATERIALIZED (
    SELECT e.kind, e.key, e.definition
    FROM jsonb_to_recordset($3) AS e (kind text, key text, definition text)
),
difference AS MATERIALIZED (
    SELECT kind, key, b.definition AS before, a.definition AS after
    FROM (SELECT * FROM expected EXCEPT SELECT * FROM now) AS b
    FULL JOIN (SELECT * FROM now EXCEPT SELECT * FROM expected) AS a USING (kind, key)
)
SELECT sterna.refuse('SN011', 'the table was altered', jsonb_agg(to_jsonb(d))::text)
FROM difference AS d
HAVING count(*) > 0
