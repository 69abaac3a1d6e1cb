-- Which assignments are of customers who are here?
-- grain: one row per customer and experiment. inputs: assignments, customers, transactions, interactions.
-- as-of column: none; who is in a part of the shop is there for all time.
-- output: the columns of assignments
select a.*
from assignments a
join (
  select customer_id from customers
  union
  select customer_id from transactions
  union
  select customer_id from interactions where customer_id is not null
) h on h.customer_id = a.customer_id
