-- Purpose: stores a synonym for loads to use.
-- Lock: none. Transaction: yes, after species/lock.sql. Undone by: species/delete-synonym.sql.
INSERT INTO sterna.synonym
    (run_id, schema_name, table_name, synonym, scientific_name, version)
VALUES ($1, $2, $3, $4, $5, $6)
