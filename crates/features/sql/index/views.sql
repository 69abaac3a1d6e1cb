-- Who browsed which category, on which day?
-- grain: one row per customer, day and category looked at. inputs: interactions,
-- customer_index, product_index, product_codes, products.
-- as-of column: day. Only events of known customers; events that name neither product nor category are
-- kept with category_ix = -1. A category name that several departments share counts for each.
-- A join holds its left side in memory: right joins, which nothing reorders, keep the long table on the right.
-- output: customer_ix, day, category_ix (-1: none), events
with categories as (
  select distinct p.category, k.category_ix
  from products p
  join product_index i on i.product_id = p.product_id
  join product_codes k on k.product_ix = i.product_ix
  where p.category is not null
),
known as (
  select customer_id, product_id, category, occurred_at
  from interactions
  where customer_id is not null
)
select
  c.customer_ix,
  day_number(e.occurred_at) as day,
  coalesce(k.category_ix, g.category_ix, cast(-1 as int)) as category_ix,
  count(*) as events
from categories g
right join (
  product_codes k
  right join (
    product_index i
    right join (customer_index c right join known e on e.customer_id = c.customer_id)
      on i.product_id = e.product_id
  ) on k.product_ix = i.product_ix
) on g.category = e.category and i.product_ix is null
group by 1, 2, 3
order by day, customer_ix, category_ix
