-- Purpose: restores every column of the kept rows. Rows of species that are gone since are left
--   out.
-- Lock: ROW EXCLUSIVE on the summary, ACCESS SHARE on species.
-- Transaction: yes, with table/summary/unwrite.sql. Undone by: table/summary/recompute.sql.
WITH kept AS (
    SELECT was.*
    FROM sterna.summary_before AS b
    CROSS JOIN LATERAL json_populate_record(NULL::{summary}, b.summary) AS was
    WHERE b.run_id = $1 AND EXISTS (SELECT FROM {species} AS s WHERE s.id = was.species_id)
),
put_back AS (
    UPDATE {summary} AS s
    SET ({columns}) = (SELECT {columns} FROM kept WHERE kept.species_id = s.species_id)
    WHERE s.species_id IN (SELECT species_id FROM kept)
    RETURNING s.species_id
)
INSERT INTO {summary} ({columns})
SELECT {columns} FROM kept WHERE species_id NOT IN (SELECT species_id FROM put_back)
