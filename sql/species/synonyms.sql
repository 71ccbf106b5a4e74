-- Purpose: the synonyms of a species table, oldest first.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT synonym, scientific_name
FROM sterna.synonym
WHERE schema_name = $1 AND table_name = $2
ORDER BY at, synonym
