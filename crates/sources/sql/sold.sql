-- Which products were sold, and when last?
-- grain: one row per product of any order line; inputs: _in_transactions
select product_id,
  max(case when quantity > 0 or amount_minor > 0 then cast(occurred_at as date) end) as last_sold_on
from _in_transactions
group by product_id
order by product_id
