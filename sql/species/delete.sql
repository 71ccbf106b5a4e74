-- Purpose: removes a species that sterna added and nothing refers to.
-- Lock: ROW EXCLUSIVE on species. Transaction: yes, after species/hold.sql.
-- Undone by: species/insert.sql.
DELETE FROM {species} WHERE id::text = $1
