-- Purpose: records a passed rehearsal.
-- Lock: ROW EXCLUSIVE. Transaction: either. Undone by: not needed.
INSERT INTO sterna.rehearsal
    (rehearsal_id, schema_name, table_name, identity, fingerprint, version, report)
VALUES ($1, $2, $3, $4, $5, $6, $7)
