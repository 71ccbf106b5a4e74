-- Purpose: stores a validation.
-- Lock: none. Transaction: either. Undone by: not needed.
INSERT INTO sterna.validation
    (id, staging, checked, table_name, passed, comprehensive, report, identity, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
