-- Purpose: the rest of the transaction sees what the connected role's policies let it
--   see, as an application does. Lock: none. Transaction: yes. Undone by: its end.
SET LOCAL row_security = on
