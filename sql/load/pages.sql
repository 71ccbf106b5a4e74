-- Purpose: how many pages staging has now.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT pg_catalog.pg_relation_size($1::oid) / current_setting('block_size')::bigint
