-- Who looked at what, on which day?
-- grain: one row per customer, day, product and category looked at. inputs: interactions, product_index,
-- product_codes, products, and the numbers of customers, of products and of products' categories as functions.
-- as-of column: day. Only events of known customers; events that name neither product nor category are
-- kept with category_ix = -1. A category name that several departments share counts for each.
-- What is bought or given back is no look: purchases stand in transactions.
-- A join holds its left side in memory: a right join, which nothing reorders, keeps the long table on the right.
-- output: customer_ix, day, product_ix (-1: none), category_ix (-1: none), events, looks (of these, other than purchases)
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
    product_number(product_id) as product_ix,
    category_of_product(product_id) as category_ix,
    category,
    case when event_type in ('purchase', 'refund', 'remove_from_cart') then 0 else 1 end as is_look
  from interactions
  where customer_id is not null
)
select
  e.customer_ix,
  e.day,
  coalesce(e.product_ix, cast(-1 as int)) as product_ix,
  coalesce(e.category_ix, g.category_ix, cast(-1 as int)) as category_ix,
  count(*) as events,
  sum(e.is_look) as looks
from categories g
right join known e on g.category = e.category and e.category_ix is null
group by 1, 2, 3, 4
