-- Purpose: keeps what the recomputation wrote, so that the application's later writes can be
--   told from it. If an earlier attempt of the run has written already, only the computed
--   columns count: the others may be the application's since.
-- Lock: ACCESS SHARE on the summary. Transaction: yes, that of the recomputation.
-- Undone by: table/summary/settle-undo.sql.
INSERT INTO sterna.summary_written AS w (run_id, species_id, summary)
SELECT $1, s.species_id::text, row_to_json(s) FROM {summary} AS s
ON CONFLICT (run_id, species_id) DO UPDATE SET summary = (
    SELECT json_object_agg(
        e.key,
        CASE WHEN e.key = ANY ($2::text[]) THEN e.value
            ELSE coalesce(w.summary -> e.key, e.value) END
    )
    FROM json_each(excluded.summary) AS e
)
