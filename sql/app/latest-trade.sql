-- Name: latest-trade
-- Purpose: the newest records of a species that has trade, one page of them.
-- Needs: {table}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, read only, as the application.
-- Undone by: nothing, it only reads.
SELECT t.*
FROM {table} AS t
WHERE t.species_id = (SELECT f.species_id FROM {table} AS f LIMIT 1)
ORDER BY t.year DESC
LIMIT 20
