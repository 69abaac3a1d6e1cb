-- Which customers could be in a campaign?
-- grain: one row per customer of the shop's list or of an order. inputs: customers, transactions.
-- as-of column: occurred_at; rows before $until_day count.
-- output: unit, customer_id, entered_day
select
  cast(row_number() over (order by customer_id) - 1 as int) as unit,
  customer_id,
  $until_day as entered_day
from (
  select customer_id from customers
  union
  select customer_id from transactions where day_number(occurred_at) < $until_day
)
order by unit
