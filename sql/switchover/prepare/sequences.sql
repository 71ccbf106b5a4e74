-- Purpose: statements that give staging's identity sequences the type and options of
--   production's, which a copied structure may lack (an integer's sequence becomes a bigint).
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT format(
    'ALTER SEQUENCE %s AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s',
    s.seqrelid::regclass,
    p.seqtypid::regtype,
    p.seqincrement,
    p.seqmin,
    p.seqmax,
    p.seqstart,
    p.seqcache,
    CASE WHEN p.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END
)
FROM unnest($1::oid[], $2::oid[]) AS pair (production, staging)
INNER JOIN pg_catalog.pg_sequence AS p ON p.seqrelid = pair.production
INNER JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = pair.staging
WHERE (p.seqtypid, p.seqincrement, p.seqmin, p.seqmax, p.seqstart, p.seqcache, p.seqcycle)
    IS DISTINCT FROM
    (s.seqtypid, s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, s.seqcycle)
