-- What did a customer buy of a promotion's products in one week?
-- grain: one row per customer and promotion with a purchase. inputs: product_days, scope_products.
-- as-of column: day; $as_of is the first day of the week. A discovery is a product that the customer never
-- bought before that day.
-- output: customer_ix, promotion_ix, spend_minor, products, discovered_minor, discovered (products)
with bought as (
  select
    customer_ix, product_ix, sum(amount_minor) as amount_minor, max(is_first) as is_new
  from product_days
  where day >= cast($as_of as int) and day < cast($as_of as int) + 7
  group by customer_ix, product_ix
)
select
  b.customer_ix,
  e.promotion_ix,
  sum(b.amount_minor) as spend_minor,
  count(*) as products,
  sum(b.amount_minor * b.is_new) as discovered_minor,
  sum(b.is_new) as discovered
from bought b
join scope_products e on e.product_ix = b.product_ix
group by b.customer_ix, e.promotion_ix
order by b.customer_ix, e.promotion_ix
