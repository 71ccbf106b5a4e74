-- Purpose: takes text and drops it: how fast the line carries it to the server.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT pg_catalog.octet_length($1)
