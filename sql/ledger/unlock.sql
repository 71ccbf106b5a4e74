-- Purpose: lets the next command begin at once.
-- Lock: releases that of ledger/try-lock.sql. Transaction: no. Undone by: ledger/try-lock.sql.
SELECT pg_catalog.pg_advisory_unlock(1937010273, pg_catalog.hashtext($1))
