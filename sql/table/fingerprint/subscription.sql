-- Purpose: the subscriptions that fill the table or a partition of it. Their progress is left out: it is data.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'subscription',
    quote_ident(s.subname) || CASE WHEN m.srrelid <> $1 THEN format(' on %s', m.srrelid::regclass) ELSE '' END,
    'owner: ' || pg_get_userbyid(s.subowner)
FROM pg_subscription_rel AS m
INNER JOIN pg_subscription AS s ON s.oid = m.srsubid
WHERE m.srrelid IN (SELECT relid FROM tree)
