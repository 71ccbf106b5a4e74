-- Purpose: rows of the summary that are not to the letter what was kept, in every column that
--   can be written, which a trigger can bring about; how many are; and how many kept rows
--   are of species that are gone.
-- Lock: ACCESS SHARE on the summary and species. Transaction: yes, behind
--   table/summary/restore.sql. Undone by: nothing, it reads.
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
