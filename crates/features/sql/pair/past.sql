-- What did a customer buy before, of products that count for the promotions in question?
-- grain: one row per customer of pair_customers, such product and day of a sale. inputs: product_days,
-- pair_customers, scope_products, day_weights.
-- as-of column: day.
-- is_first marks the first day the customer bought the product. How much the rows say about each promotion
-- is summed up in cross.rs.
-- output: customer_ix, product_ix, age_days, is_first, orders, amount_minor, w14_micro, w60_micro, w180_micro
select
  d.customer_ix, d.product_ix, w.age_days, d.is_first, d.orders, d.amount_minor,
  w.w14_micro, w.w60_micro, w.w180_micro
from product_days d
join pair_customers c on c.customer_ix = d.customer_ix
join (select distinct product_ix from scope_products) e on e.product_ix = d.product_ix
join day_weights w on w.day = d.day
where d.day < cast($as_of as int)
order by d.customer_ix, w.age_days desc
