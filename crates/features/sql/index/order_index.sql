-- Which integer stands for an order?
-- grain: one row per order. inputs: transactions.
-- as-of column: none; numbers follow the order of the ids and carry no information.
-- output: order_ix (0, 1, 2 … by order_id), order_id
select
  cast(row_number() over (order by order_id) - 1 as int) as order_ix,
  order_id
from (select distinct order_id from transactions)
order by order_ix
