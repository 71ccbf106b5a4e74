-- Purpose: the reason why nothing can be written here, or NULL.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT CASE
    WHEN pg_catalog.pg_is_in_recovery() THEN 'the server is a standby, which takes no writes'
    WHEN pg_catalog.current_setting('transaction_read_only') = 'on'
        THEN 'this session may only read (default_transaction_read_only)'
END
