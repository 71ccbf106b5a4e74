-- Purpose: gives every session the same settings, whatever the defaults of role, database and
--   server.
-- Lock: none. Transaction: no. Undone by: the end of the session.

-- Loads and index builds may take as long as they need; steps that must not wait set their own
-- limits, which would otherwise be mixed with the role's.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET idle_session_timeout = 0;
SET default_transaction_read_only = off;
-- Servers before 17 do not have this setting.
SELECT pg_catalog.set_config('transaction_timeout', '0', false)
WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;

-- If the connection to a client is cut, its session ends within a minute and releases its
-- locks. The client probes just as often (crates/pg/src/conninfo.rs).
SET tcp_keepalives_idle = '30s';
SET tcp_keepalives_interval = '10s';
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = '60s';

-- Text that is compared, hashed or stored must not depend on the server's settings.
SET client_encoding = 'UTF8';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'iso_8601';
SET TimeZone = 'UTC';
SET extra_float_digits = 3;
SET standard_conforming_strings = on;
SET array_nulls = on;

-- Catalog queries have many joins, and their estimated costs are far above the threshold for
-- JIT compilation, which takes a tenth of a second or more for a few rows.
SET jit = off;
