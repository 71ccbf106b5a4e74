-- Purpose: the synonyms that the restored ledger knows, for renew.sql.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it reads.
SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM sterna.synonym AS s
