-- Purpose: the same session everywhere, whatever role, database or server set as default.
-- Lock: none. Transaction: no. Undone by: the end of the session.

-- A load or an index build ends when it is done; steps that must not wait set
-- their own limits, which would otherwise be mixed with the role's.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET idle_session_timeout = 0;
SET default_transaction_read_only = off;
-- Servers before 17 do not know it.
SELECT pg_catalog.set_config('transaction_timeout', '0', false)
WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;

-- A client whose line is cut is gone within a minute, and its locks with it. The other
-- side asks as often (crates/pg/src/conninfo.rs).
SET tcp_keepalives_idle = '30s';
SET tcp_keepalives_interval = '10s';
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = '60s';

-- Texts that are compared, hashed or kept must not depend on the server's habits.
SET client_encoding = 'UTF8';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'iso_8601';
SET TimeZone = 'UTC';
SET extra_float_digits = 3;
SET standard_conforming_strings = on;
SET array_nulls = on;

-- Catalogs are asked by statements with many joins, whose estimated costs are far above
-- those at which a server compiles them: a tenth of a second and more, for a few rows.
SET jit = off;
