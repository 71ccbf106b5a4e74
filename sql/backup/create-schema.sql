-- Purpose: creates the schema of a table that is restored into an empty database.
-- Lock: none. Transaction: either. Undone by: DROP SCHEMA.
CREATE SCHEMA IF NOT EXISTS {schema}
