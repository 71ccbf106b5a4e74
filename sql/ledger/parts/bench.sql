-- Purpose: the results of query benchmarks.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no load is to be resumed.

CREATE TABLE sterna.bench (
    bench_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staging oid NOT NULL,
    passed boolean NOT NULL,
    report jsonb NOT NULL,
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX bench_staging ON sterna.bench (staging);
