-- Purpose: upgrades the ledger from version 1, that of 0.1.0, to version 2. It has
--   been in use, so it is frozen.
-- Lock: ACCESS EXCLUSIVE on what it alters, while no other sterna is running.
-- Transaction: yes, under sterna's setup lock. Undone by: nothing; it is one transaction.

-- The journal: one typed table per journaled table instead of sterna.journal. What was recorded
-- for unfinished runs is converted while writers are briefly locked out.
SET LOCAL search_path = '';
SET LOCAL lock_timeout = '100ms';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'iso_8601';
SET LOCAL lc_monetary = 'C';
ALTER TABLE sterna.carrying
    ADD COLUMN entries bigint NOT NULL DEFAULT 0,
    ADD COLUMN carried_at timestamptz,
    ADD COLUMN keep text NOT NULL DEFAULT 'all'
        CONSTRAINT carrying_keep_check CHECK (keep IN ('all', 'inserted', 'none'));
UPDATE sterna.carrying AS c
SET carried_at = clock_timestamp(), entries = (
    SELECT count(*)
    FROM sterna.journal AS j
    WHERE j.relid = c.relid
        AND pg_catalog.pg_visible_in_snapshot(j.xid, c.applied)
        AND NOT pg_catalog.pg_visible_in_snapshot(j.xid, c.since)
);
DO $do$
DECLARE
    source regclass;
    names text;
    old_keys text;
    new_keys text;
    changed text;
    entry record;
    -- A literal goes through the type's input function, never through a cast.
    insertion CONSTANT text := 'INSERT INTO sterna.%I (xid, operation, changed, gone, %s) '
        'SELECT $1, %L, %s, %L, %s FROM (SELECT %L::%s AS r) AS o, (SELECT %L::%s AS r) AS n '
        'WHERE %s pg_catalog.record_image_eq(ROW(%s), ROW(%s))';
BEGIN
    FOR source IN
        SELECT j.relid FROM sterna.journaled AS j INNER JOIN pg_catalog.pg_class AS c ON c.oid = j.relid
    LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', source);
        PERFORM sterna.make_journal(source);
        SELECT
            string_agg('key_' || k.position, ', ' ORDER BY k.position),
            string_agg(format('(o.r).%I', k.name), ', ' ORDER BY k.position),
            string_agg(format('(n.r).%I', k.name), ', ' ORDER BY k.position),
            sterna.changed_columns(source, '(o.r)', '(n.r)')
        INTO names, old_keys, new_keys, changed
        FROM sterna.journaled_columns(source) AS c
        CROSS JOIN LATERAL unnest(c.key_columns) WITH ORDINALITY AS k (name, position);
        FOR entry IN
            SELECT j.xid, j.operation, j.old_row, j.new_row, 'journal_' || j.relid AS name
            FROM sterna.journal AS j WHERE j.relid = source ORDER BY j.seq
        LOOP
            CASE entry.operation
                WHEN 'INSERT' THEN
                    EXECUTE format(insertion, entry.name, names, 'I', 'NULL', NULL, new_keys,
                        entry.new_row, source, entry.new_row, source, '', new_keys, new_keys)
                    USING entry.xid;
                WHEN 'DELETE' THEN
                    EXECUTE format(insertion, entry.name, names, 'D', 'NULL', entry.old_row,
                        old_keys, entry.old_row, source, entry.old_row, source, '', old_keys,
                        old_keys)
                    USING entry.xid;
                WHEN 'UPDATE' THEN
                    EXECUTE format(insertion, entry.name, names, 'U', changed, NULL, new_keys,
                        entry.old_row, source, entry.new_row, source, '', old_keys, new_keys)
                    USING entry.xid;
                    -- A changed key is one row deleted and another one inserted.
                    EXECUTE format(insertion, entry.name, names, 'D', 'NULL', NULL, old_keys,
                        entry.old_row, source, entry.new_row, source, 'NOT', old_keys, new_keys)
                    USING entry.xid;
                    EXECUTE format(insertion, entry.name, names, 'I', 'NULL', NULL, new_keys,
                        entry.old_row, source, entry.new_row, source, 'NOT', old_keys, new_keys)
                    USING entry.xid;
                ELSE
                    EXECUTE format('INSERT INTO sterna.%I (xid, operation) VALUES ($1, %L)',
                        entry.name, 'T') USING entry.xid;
            END CASE;
        END LOOP;
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER "!sterna_journal" AFTER INSERT OR UPDATE OR DELETE ON %1$s '
            'FOR EACH ROW EXECUTE FUNCTION sterna.%2$I(); '
            'CREATE OR REPLACE TRIGGER "!sterna_journal_truncate" AFTER TRUNCATE ON %1$s '
            'FOR EACH STATEMENT EXECUTE FUNCTION sterna.%2$I(); '
            'ALTER TABLE %1$s ENABLE ALWAYS TRIGGER "!sterna_journal"; '
            'ALTER TABLE %1$s ENABLE ALWAYS TRIGGER "!sterna_journal_truncate"',
            source, 'journal_' || source::oid
        );
    END LOOP;
END
$do$;
DROP FUNCTION sterna.replay(regclass, regclass, text);
DROP FUNCTION sterna.fitting(text, text, bigint, text, text);
DROP FUNCTION sterna.journal();
DROP TABLE sterna.journal;

-- The other parts.

-- A command that refuses a step leaves the step as it was.
ALTER TABLE sterna.step DROP CONSTRAINT step_state_check;
ALTER TABLE sterna.step ADD CONSTRAINT step_state_check CHECK (
    state IN ('started', 'done', 'failed', 'refused', 'skipped', 'undoing', 'undone')
);

-- The run that requested a switchover: the one whose step reports it; if that step was killed
-- before it could, the one whose step was in progress; otherwise the switchover itself.
ALTER TABLE sterna.switchover ADD COLUMN run_id uuid;
UPDATE sterna.switchover AS s SET run_id = coalesce(
    (
        SELECT t.run_id FROM sterna.step AS t
        WHERE t.step = '4.2' AND t.detail ->> 'run_id' = s.switchover_id::text
        LIMIT 1
    ),
    (
        SELECT t.run_id FROM sterna.step AS t
        INNER JOIN sterna.migration AS m USING (run_id)
        WHERE t.step = '4.2' AND t.detail = 'null' AND t.started_at <= s.switched_at
            AND m.schema_name = s.schema_name AND m.table_name = s.table_name
        ORDER BY t.started_at DESC
        LIMIT 1
    ),
    s.switchover_id
);
ALTER TABLE sterna.switchover ALTER COLUMN run_id SET NOT NULL;
ALTER TABLE sterna.switchover ADD COLUMN left_relid oid;

-- What sterna wrote to the summary: later differences are somebody else's writes.
CREATE TABLE sterna.summary_written (
    run_id uuid NOT NULL REFERENCES sterna.summary_run,
    species_id text NOT NULL,
    summary json NOT NULL,
    PRIMARY KEY (run_id, species_id)
);

-- Rows of a load may have been matched with production's and written again.
ALTER TABLE sterna.load_run ADD COLUMN matched xid8;
-- Proofs of earlier versions are made again.
ALTER TABLE sterna.load_run ADD COLUMN proved text;
