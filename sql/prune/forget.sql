-- Purpose: removes from the ledger what runs on the table before $3 recorded, and counts the runs
--   and all rows: runs and their steps; switchovers whose old table is gone; loads whose staging
--   table is gone, with their batches, validations and benchmarks; the summaries that they
--   replaced; and the backups $5, whose folders are gone. The runs $6 stay, so that their folders
--   can still be found, and so do rehearsals, species and synonyms.
-- Lock: ROW EXCLUSIVE on these tables. Transaction: yes. Undone by: nothing.
WITH run AS MATERIALIZED (
    SELECT m.run_id FROM sterna.migration AS m
    WHERE m.schema_name = $1 AND m.table_name = $2 AND m.started_at < $3::text::timestamptz
        AND m.state <> 'running' AND m.run_id <> ALL ($6::uuid[])
),

switchover AS MATERIALIZED (
    SELECT s.switchover_id FROM sterna.switchover AS s
    WHERE s.schema_name = $1 AND s.table_name = $2 AND s.switched_at < $3::text::timestamptz
        AND s.state <> 'switched'
        -- Writes that a rollback left behind are found by this record.
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = s.left_relid)
),

-- All loads of one staging table go together, or none.
load AS MATERIALIZED (
    SELECT l.run_id, l.staging FROM sterna.load_run AS l
    WHERE l.target = $4
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = l.staging)
        AND NOT EXISTS (
            SELECT FROM sterna.load_run AS k
            WHERE k.staging = l.staging AND k.started_at >= $3::text::timestamptz
        )
        AND NOT EXISTS (
            SELECT FROM sterna.load_run AS k
            INNER JOIN sterna.load_run AS m ON m.mends = k.run_id AND m.staging <> k.staging
            WHERE k.staging = l.staging
        )
        AND NOT EXISTS (
            SELECT FROM sterna.validation AS v
            WHERE v.checked = l.staging AND v.validated_at >= $3::text::timestamptz
        )
        AND NOT EXISTS (
            SELECT FROM sterna.bench AS b
            WHERE b.staging = l.staging AND b.at >= $3::text::timestamptz
        )
),

summary AS MATERIALIZED (
    SELECT s.run_id FROM sterna.summary_run AS s INNER JOIN run ON run.run_id = s.run_id
),

steps AS (
    DELETE FROM sterna.step AS t USING run WHERE t.run_id = run.run_id RETURNING 1
),

runs AS (
    DELETE FROM sterna.migration AS t USING run WHERE t.run_id = run.run_id RETURNING t.kind
),

activities AS (
    DELETE FROM sterna.switchover_activity AS t USING switchover AS s
    WHERE t.switchover_id = s.switchover_id RETURNING 1
),

switchovers AS (
    DELETE FROM sterna.switchover AS t USING switchover AS s
    WHERE t.switchover_id = s.switchover_id RETURNING 1
),

cascades AS (
    DELETE FROM sterna.load_cascade AS t USING load WHERE t.run_id = load.run_id RETURNING 1
),

batches AS (
    DELETE FROM sterna.load_batch AS t USING load WHERE t.run_id = load.run_id RETURNING 1
),

refusals AS (
    DELETE FROM sterna.load_refusal AS t USING load WHERE t.run_id = load.run_id RETURNING 1
),

files AS (
    DELETE FROM sterna.load_file AS t USING load WHERE t.run_id = load.run_id RETURNING 1
),

loads AS (
    DELETE FROM sterna.load_run AS t USING load WHERE t.run_id = load.run_id RETURNING 1
),

validations AS (
    DELETE FROM sterna.validation AS t
    WHERE t.checked IN (SELECT load.staging FROM load) RETURNING 1
),

benchmarks AS (
    DELETE FROM sterna.bench AS t
    WHERE t.staging IN (SELECT load.staging FROM load) RETURNING 1
),

before AS (
    DELETE FROM sterna.summary_before AS t USING summary AS s
    WHERE t.run_id = s.run_id RETURNING 1
),

written AS (
    DELETE FROM sterna.summary_written AS t USING summary AS s
    WHERE t.run_id = s.run_id RETURNING 1
),

summaries AS (
    DELETE FROM sterna.summary_run AS t USING summary AS s
    WHERE t.run_id = s.run_id RETURNING 1
),

backups AS (
    DELETE FROM sterna.backup AS t WHERE t.backup_id = ANY ($5::uuid[]) RETURNING 1
)

SELECT
    (SELECT count(*) FROM runs WHERE kind = 'migration'),
    (SELECT count(*) FROM runs)
        + (SELECT count(*) FROM (
            TABLE steps UNION ALL TABLE activities UNION ALL TABLE switchovers
            UNION ALL TABLE cascades UNION ALL TABLE batches UNION ALL TABLE refusals
            UNION ALL TABLE files UNION ALL TABLE loads UNION ALL TABLE validations
            UNION ALL TABLE benchmarks UNION ALL TABLE before UNION ALL TABLE written
            UNION ALL TABLE summaries UNION ALL TABLE backups
        ) AS rows)
