-- How much of a customer's type affinity to a promotion falls on products already bought?
-- grain: one row per customer of pair_customers and promotion with a product bought before. inputs: bought,
-- pair_customers, scope_products, product_sales, customer_type.
-- as-of column: days in bought.
-- output: customer_ix, promotion_ix, products, owned_micro (see type_micro of affinity.sql)
with weighed as (
  select o.customer_ix, o.product_ix,
    coalesce(t.n90_micro * s.type_share_e8 / 100000000, 0) as owned_micro
  from bought o
  join pair_customers c on c.customer_ix = o.customer_ix
  join (select distinct product_ix from scope_products) e on e.product_ix = o.product_ix
  left join product_sales s on s.product_ix = o.product_ix
  left join customer_type t on t.customer_ix = o.customer_ix and t.type_ix = s.type_ix
)
select w.customer_ix, e.promotion_ix, count(*) as products, sum(w.owned_micro) as owned_micro
from weighed w
join scope_products e on e.product_ix = w.product_ix
group by w.customer_ix, e.promotion_ix
order by w.customer_ix, e.promotion_ix
