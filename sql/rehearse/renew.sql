-- Purpose: copies the synonyms of production into the new ledger of its copy.
-- Lock: ROW EXCLUSIVE. Transaction: either. Undone by: dropping the copy.
INSERT INTO sterna.synonym
SELECT s.* FROM jsonb_populate_recordset(NULL::sterna.synonym, $1) AS s
