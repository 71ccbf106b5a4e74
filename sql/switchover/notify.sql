-- Purpose: has PostgREST read the catalog again. Lock: none. Transaction: yes; it is
--   sent when that commits. Undone by: nothing needs to.
NOTIFY pgrst, 'reload schema'
