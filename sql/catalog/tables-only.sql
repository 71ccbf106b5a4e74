-- Purpose: restricts what this session reads by name to tables. If somebody puts a view or a
--   foreign table in the place of a table that was already checked, it is not read, so nothing
--   of theirs runs with this role's rights. Servers without the security fixes of August 2024
--   do not have the setting.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SELECT pg_catalog.set_config('restrict_nonsystem_relation_kind', 'view, foreign-table', false)
WHERE pg_catalog.current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL
