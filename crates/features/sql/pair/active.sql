-- Who shopped in the last eight weeks?
-- grain: one row per such customer. inputs: orders.
-- as-of column: day.
-- output: customer_ix
select distinct customer_ix
from orders
where day < cast($as_of as int) and day >= cast($as_of as int) - 56
  and is_sale = 1
order by customer_ix
