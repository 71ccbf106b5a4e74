-- Purpose: finds what others wrote to the summary since the recomputation, and updates the kept
--   rows, which are the ones to restore: as they were before it, but with what was written
--   since. A row deleted since stays deleted, and one inserted since stays.
-- Lock: ACCESS SHARE on the summary and species.
-- Transaction: yes, before table/summary/unwrite.sql. Undone by: its rollback.
WITH present AS (
    SELECT s.species_id::text AS species_id, row_to_json(s) AS summary FROM {summary} AS s
),
written AS (
    SELECT species_id, summary FROM sterna.summary_written WHERE run_id = $1
),
changed AS (
    SELECT p.species_id, p.summary, c.names
    FROM present AS p
    INNER JOIN written AS w USING (species_id)
    CROSS JOIN LATERAL (
        SELECT array_agg(e.key ORDER BY e.key) AS names
        FROM json_each(p.summary) AS e
        WHERE e.value::jsonb IS DISTINCT FROM (w.summary -> e.key)::jsonb
    ) AS c
    WHERE c.names IS NOT NULL
),
-- An earlier sterna did not record what it wrote: then nothing can be determined.
inserted AS (
    SELECT p.species_id, p.summary
    FROM present AS p
    WHERE EXISTS (SELECT FROM written)
        AND NOT EXISTS (SELECT FROM written AS w WHERE w.species_id = p.species_id)
),
deleted AS (
    SELECT w.species_id
    FROM written AS w
    WHERE NOT EXISTS (SELECT FROM present AS p WHERE p.species_id = w.species_id)
        -- The row of a deleted species is deleted with it.
        AND EXISTS (SELECT FROM {species} AS s WHERE s.id::text = w.species_id)
),
merged AS (
    UPDATE sterna.summary_before AS b
    SET summary = (
        SELECT row_to_json(r)
        FROM json_populate_record(NULL::{summary}, (
            SELECT json_object_agg(
                e.key,
                CASE WHEN e.key = ANY (c.names) THEN e.value
                    ELSE coalesce(b.summary -> e.key, e.value) END
            )
            FROM json_each(c.summary) AS e
        )) AS r
    )
    FROM changed AS c
    WHERE b.run_id = $1 AND b.species_id = c.species_id
),
stays AS (
    INSERT INTO sterna.summary_before (run_id, species_id, summary)
    SELECT $1, species_id, summary FROM inserted
    UNION ALL
    SELECT $1, species_id, summary FROM changed
    ON CONFLICT (run_id, species_id) DO NOTHING
),
stays_away AS (
    DELETE FROM sterna.summary_before AS b
    USING deleted AS d
    WHERE b.run_id = $1 AND b.species_id = d.species_id
)
SELECT species_id, 'changed', names FROM changed
UNION ALL
SELECT species_id, 'inserted', ARRAY[]::text[] FROM inserted
UNION ALL
SELECT species_id, 'deleted', ARRAY[]::text[] FROM deleted
ORDER BY 1
