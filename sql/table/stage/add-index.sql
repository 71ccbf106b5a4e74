-- Purpose: builds one of production's indexes on staging.
-- Lock: SHARE on staging. Transaction: no, each by itself. Undone by: DROP INDEX.
CREATE INDEX {index} ON {staging} {definition}
