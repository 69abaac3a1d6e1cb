-- Which active customers shopped in a week?
-- grain: one row per such customer. inputs: orders, active.
-- as-of column: day; $as_of is the first day of the week.
-- output: customer_ix
select distinct o.customer_ix
from orders o
join active a on a.customer_ix = o.customer_ix
where o.day >= cast($as_of as int) and o.day < cast($as_of as int) + 7
  and o.is_sale = 1
order by o.customer_ix
