-- Purpose: records that sterna added a species.
-- Lock: none. Transaction: yes, that of the addition. Undone by: species/settle-undo.sql.
INSERT INTO sterna.species_added
    (run_id, schema_name, table_name, species_id, scientific_name, given, version)
VALUES ($1, $2, $3, $4, $5, $6, $7)
