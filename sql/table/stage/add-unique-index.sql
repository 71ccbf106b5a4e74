-- Purpose: builds one of production's unique indexes on staging.
-- Lock: SHARE on staging. Transaction: no, each by itself. Undone by: DROP INDEX.
CREATE UNIQUE INDEX {index} ON {staging} {definition}
