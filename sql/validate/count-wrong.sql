-- Purpose: the part of validate/count-rows.sql that counts for one condition.
-- Lock: none of its own. Transaction: that of the pass. Undone by: nothing, it only reads.
count(*) FILTER (WHERE (
{condition}
))
