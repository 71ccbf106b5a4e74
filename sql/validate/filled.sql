-- Purpose: a text column's value, or NULL if it is blank. A blank value sorts before '!' by its
--   bytes; only those that do are trimmed, which takes longer than most conditions.
-- Lock: none of its own. Transaction: that of the check. Undone by: nothing, it only reads.
CASE WHEN {column} COLLATE "C" < '!' THEN nullif(btrim({column}, E' \t\r\n'), '') ELSE {column} END
