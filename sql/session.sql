-- Purpose: gives every session the same settings, whatever the defaults of role, database and
--   server, if the server process is $1. Behind a pooler it may be another one, whose settings
--   belong to somebody else.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SELECT pg_catalog.set_config(s.name, s.value, false)
FROM (VALUES
    -- Loads and index builds may take as long as they need; steps that must not wait set their
    -- own limits, which would otherwise be mixed with the role's.
    ('statement_timeout', '0'),
    ('lock_timeout', '0'),
    ('idle_in_transaction_session_timeout', '0'),
    ('idle_session_timeout', '0'),
    ('default_transaction_read_only', 'off'),
    -- Servers before 17 do not have this setting.
    ('transaction_timeout', '0'),

    -- If the connection to a client is cut, its session ends within a minute and releases its
    -- locks. The client probes just as often (crates/pg/src/conninfo.rs).
    ('tcp_keepalives_idle', '30s'),
    ('tcp_keepalives_interval', '10s'),
    ('tcp_keepalives_count', '3'),
    ('tcp_user_timeout', '60s'),

    -- Text that is compared, hashed or stored must not depend on the server's settings.
    ('client_encoding', 'UTF8'),
    ('DateStyle', 'ISO, YMD'),
    ('IntervalStyle', 'iso_8601'),
    ('TimeZone', 'UTC'),
    ('extra_float_digits', '3'),
    ('standard_conforming_strings', 'on'),
    ('array_nulls', 'on'),

    -- Catalog queries have many joins, and their estimated costs are far above the threshold
    -- for JIT compilation, which takes a tenth of a second or more for a few rows.
    ('jit', 'off')
) AS s (name, value)
WHERE pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1
    AND pg_catalog.current_setting(s.name, true) IS NOT NULL
