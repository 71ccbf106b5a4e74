-- Purpose: makes PostgREST read the catalog again.
-- Lock: none. Transaction: yes; it is sent on commit. Undone by: not needed.
NOTIFY pgrst, 'reload schema'
