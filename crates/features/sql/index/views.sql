-- Who browsed which category, on which day?
-- grain: one row per customer, day and category looked at. inputs: interactions, product_index,
-- product_codes, products, and the numbers of customers and of products' categories as functions.
-- as-of column: day. Only events of known customers; events that name neither product nor category are
-- kept with category_ix = -1. A category name that several departments share counts for each.
-- A join holds its left side in memory: a right join, which nothing reorders, keeps the long table on the right.
-- output: customer_ix, day, category_ix (-1: none), events
with categories as (
  select distinct p.category, k.category_ix
  from products p
  join product_index i on i.product_id = p.product_id
  join product_codes k on k.product_ix = i.product_ix
  where p.category is not null
),
known as (
  select
    customer_number(customer_id) as customer_ix,
    day_number(occurred_at) as day,
    category_of_product(product_id) as category_ix,
    category
  from interactions
  where customer_id is not null
)
select
  e.customer_ix,
  e.day,
  coalesce(e.category_ix, g.category_ix, cast(-1 as int)) as category_ix,
  count(*) as events
from categories g
right join known e on g.category = e.category and e.category_ix is null
group by 1, 2, 3
