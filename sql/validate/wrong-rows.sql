-- Purpose: how many rows a check returns, and the first of them.
-- Lock: those of the check. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
WITH wrong AS MATERIALIZED (
{query}
)
SELECT (SELECT count(*) FROM wrong), pg_catalog.row_to_json(w) FROM wrong AS w LIMIT 20
