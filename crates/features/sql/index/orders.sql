-- Which orders did customers place, and what did they come to?
-- grain: one row per customer, order and day. inputs: lines.
-- as-of column: day. A return is a row of its own with is_sale = 0 and a negative amount.
-- output: customer_ix, order_ix, day, is_sale, amount_minor, products
select
  customer_ix,
  order_ix,
  day,
  max(is_sale) as is_sale,
  sum(amount_minor) as amount_minor,
  sum(is_sale) as products
from lines
group by customer_ix, order_ix, day
order by day, customer_ix, order_ix
