-- Purpose: the backups of a table, and whether they were verified.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE; the files stay.

CREATE TABLE sterna.backup (
    backup_id uuid PRIMARY KEY,
    target text NOT NULL,
    -- On the machine that took the backup.
    path text NOT NULL,
    -- Of the file SHA256SUMS, which has the checksums of all other files.
    sha256 text NOT NULL,
    -- Schema, name and rows of each table.
    tables jsonb NOT NULL,
    bytes bigint NOT NULL,
    verified boolean NOT NULL,
    version text NOT NULL,
    role_name text NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
