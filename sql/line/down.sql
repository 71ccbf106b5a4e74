-- Purpose: returns $1 bytes that are hard to compress: how fast the line carries them to the client.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT pg_catalog.left(pg_catalog.string_agg(pg_catalog.md5(i::text), ''), $1)
FROM pg_catalog.generate_series(0, $1 / 32) AS i
