-- On which days did a customer buy in a category?
-- grain: one row per customer, category and day of a sale. inputs: lines, product_codes.
-- as-of column: day.
-- output: customer_ix, category_ix, day, orders, amount_minor
select
  l.customer_ix,
  k.category_ix,
  l.day,
  count_unique(l.order_ix) as orders,
  sum(l.amount_minor) as amount_minor
from lines l
join product_codes k on k.product_ix = l.product_ix
where l.is_sale = 1
group by l.customer_ix, k.category_ix, l.day
order by l.day, l.customer_ix, k.category_ix
