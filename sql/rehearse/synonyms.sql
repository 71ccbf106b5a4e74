-- Purpose: the synonyms in the restored ledger, for renew.sql.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM sterna.synonym AS s
