-- Purpose: makes version 2 of the ledger from version 1, that of 0.1.0. Whoever changes
--   sql/ledger/parts adds here what the same change needs in a ledger that exists, its
--   rows included; a test holds the upgraded catalog against a new one. Once a release
--   has written version 2 this file stands, and the next change begins upgrade/3.sql.
-- Lock: ACCESS EXCLUSIVE on what it alters, while no other sterna is at work.
-- Transaction: yes, under sterna's setup lock. Undone by: nothing; it is one transaction.

-- The journal: one typed table per journaled table in place of sterna.journal.

-- The other parts.

-- A command that refuses to take a step leaves the step as it was.
ALTER TABLE sterna.step DROP CONSTRAINT step_state_check;
ALTER TABLE sterna.step ADD CONSTRAINT step_state_check CHECK (
    state IN ('started', 'done', 'failed', 'refused', 'skipped', 'undoing', 'undone')
);

-- The run that asked for a switchover: the one whose step reports it; where the step was
-- killed before it could, the one whose step was under way; else none but itself.
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

-- What sterna wrote to the summary: what differs later is somebody else's.
CREATE TABLE sterna.summary_written (
    run_id uuid NOT NULL REFERENCES sterna.summary_run,
    species_id text NOT NULL,
    summary json NOT NULL,
    PRIMARY KEY (run_id, species_id)
);
