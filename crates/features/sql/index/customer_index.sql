-- Which integer stands for a customer?
-- grain: one row per customer of any table. inputs: customers, transactions, interactions.
-- as-of column: none; numbers follow the order of the ids and carry no information.
-- output: customer_ix (0, 1, 2 … by customer_id), customer_id
select
  cast(row_number() over (order by customer_id) - 1 as int) as customer_ix,
  customer_id
from (
  select customer_id from customers
  union
  select customer_id from transactions
  union
  select customer_id from interactions where customer_id is not null
)
order by customer_ix
