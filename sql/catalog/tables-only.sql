-- Purpose: what this session reads by name are tables. Where somebody puts a view or a
--   foreign table in the place of one after it was looked at, it is not read: nothing of
--   it runs with the rights of this role. Servers without the security fixes of August
--   2024 do not know the setting.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SELECT pg_catalog.set_config('restrict_nonsystem_relation_kind', 'view, foreign-table', false)
WHERE pg_catalog.current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL
