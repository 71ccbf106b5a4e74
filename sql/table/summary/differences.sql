-- Purpose: how many rows of the summary differ from what was kept, in any writable column,
--   which a trigger can cause; how many are identical; and how many kept rows are of species
--   that are gone.
-- Lock: ACCESS SHARE on the summary and species.
-- Transaction: yes, after table/summary/restore.sql. Undone by: nothing, it only reads.
SELECT
    count(*) FILTER (WHERE k.summary IS DISTINCT FROM n.summary),
    count(*) FILTER (WHERE k.summary = n.summary),
    (
        SELECT count(*) FROM sterna.summary_before AS gone
        WHERE gone.run_id = $1
            AND NOT EXISTS (SELECT FROM {species} AS p WHERE p.id::text = gone.species_id)
    )
FROM (
    SELECT
        species_id::text AS species_id,
        (SELECT row_to_json(r)::text FROM (SELECT {columns}) AS r) AS summary
    FROM {summary}
) AS n
LEFT JOIN (
    SELECT
        b.species_id,
        (
            SELECT row_to_json(r)::text
            FROM (SELECT {columns} FROM json_populate_record(NULL::{summary}, b.summary)) AS r
        ) AS summary
    FROM sterna.summary_before AS b
    WHERE b.run_id = $1
) AS k USING (species_id)
