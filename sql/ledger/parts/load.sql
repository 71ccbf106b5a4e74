-- Purpose: what every load did.
-- Lock: none, everything is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no load is to be resumed.

CREATE TABLE sterna.load_run (
    run_id uuid PRIMARY KEY,
    staging oid NOT NULL,
    target text NOT NULL,
    -- loading: rows are being written. built: rows are in, indexes follow. loaded: done.
    -- rejected: too many rejects. failed: the proof failed. discarded: staging was emptied.
    state text NOT NULL
        CHECK (state IN ('loading', 'built', 'loaded', 'rejected', 'failed', 'discarded')),
    -- What must be unchanged when the load is resumed.
    identity jsonb NOT NULL,
    arguments jsonb NOT NULL,
    report jsonb,
    checksum bigint,
    mends uuid REFERENCES sterna.load_run,
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    -- The transaction that matched the rows with production's and wrote them again: from then
    -- on it is their xmin, not their batch's transaction.
    matched xid8,
    -- What a proof has found equal to the files: a digest of where staging keeps its rows and of
    -- the sums of each transaction.
    proved text
);
CREATE INDEX load_run_staging ON sterna.load_run (staging);

CREATE TABLE sterna.load_file (
    run_id uuid NOT NULL REFERENCES sterna.load_run,
    file_number integer NOT NULL,
    path text NOT NULL,
    sha256 text NOT NULL,
    account jsonb,
    PRIMARY KEY (run_id, file_number)
);

-- One row per committed batch, written by the transaction that wrote its rows.
CREATE TABLE sterna.load_batch (
    run_id uuid NOT NULL,
    file_number integer NOT NULL,
    batch_number integer NOT NULL,
    first_line bigint NOT NULL,
    byte_offset bigint NOT NULL,
    byte_length bigint NOT NULL,
    row_count bigint NOT NULL,
    checksum bigint NOT NULL,
    -- Records that the server refused: [record, message] pairs.
    refused jsonb NOT NULL,
    -- The xmin of the batch's rows: the proof groups by it.
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    -- The connection that wrote the batch, and when it started.
    backend integer NOT NULL DEFAULT pg_backend_pid(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, file_number, batch_number),
    FOREIGN KEY (run_id, file_number) REFERENCES sterna.load_file
);

-- Records that could be encoded but must not be loaded, because they share the row id of
-- another one.
CREATE TABLE sterna.load_refusal (
    run_id uuid NOT NULL,
    file_number integer NOT NULL,
    batch_number integer NOT NULL,
    record_number integer NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (run_id, file_number, batch_number, record_number),
    FOREIGN KEY (run_id, file_number) REFERENCES sterna.load_file
);
