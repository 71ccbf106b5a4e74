-- Purpose: why nothing can be written here, if nothing can.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT CASE
    WHEN pg_catalog.pg_is_in_recovery() THEN 'the server is a standby, which takes no writes'
    WHEN pg_catalog.current_setting('transaction_read_only') = 'on'
        THEN 'this session may only read (default_transaction_read_only)'
END
