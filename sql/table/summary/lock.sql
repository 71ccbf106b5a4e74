-- Purpose: takes every lock up front and in one order, so that no lock is waited
--   for while another is held for long. The snapshot is taken after it: what
--   others write to the summary meanwhile fails this transaction and not theirs.
-- Lock: ACCESS SHARE on species and trade, ROW EXCLUSIVE on the summary: neither
--   readers nor writers wait. Transaction: yes, first of all. Undone by: its end.
SET LOCAL lock_timeout = '1s';
-- Six groupings are hashed in one pass where they fit, and else sorted one by one.
SET LOCAL work_mem = '64MB';
LOCK TABLE {species} IN ACCESS SHARE MODE;
LOCK TABLE {trade} IN ACCESS SHARE MODE;
LOCK TABLE {summary} IN ROW EXCLUSIVE MODE;
