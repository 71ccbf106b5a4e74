-- Purpose: records a query benchmark.
-- Lock: none. Transaction: either. Undone by: not needed.
INSERT INTO sterna.bench (staging, passed, report, version) VALUES ($1, $2, $3, $4)
