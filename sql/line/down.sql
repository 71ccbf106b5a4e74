-- Purpose: returns $1 bytes: how fast the line carries them to the client.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT pg_catalog.repeat('0', $1)
