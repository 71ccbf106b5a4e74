-- Purpose: the server's version, and the settings that affect durations.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT pg_catalog.version() AS version, json_object_agg(name, current_setting(name)) AS settings
FROM unnest(ARRAY[
    'shared_buffers', 'effective_cache_size', 'work_mem', 'random_page_cost',
    'effective_io_concurrency', 'max_parallel_workers_per_gather', 'jit', 'plan_cache_mode'
]) AS name
