-- How recently, how often and for how much did a customer buy?
-- grain: one row per customer with an order (of one part of the customers). inputs: orders, customer_index.
-- as-of column: day. Money nets returns; orders are those with a sale.
-- output: part (the number given), customer_id, recency_days, frequency, monetary_minor
with facts as (
  select
    customer_ix,
    cast($as_of as int) - max(case when is_sale = 1 then day end) as recency_days,
    sum(is_sale) as frequency,
    sum(amount_minor) as monetary_minor
  from orders
  where day < cast($as_of as int)
    and day >= cast($as_of as int) - $rfm_window_days
  group by customer_ix
  having sum(is_sale) > 0
)
select cast($part as int) as part, i.customer_id, f.recency_days, f.frequency, f.monetary_minor
from facts f
join customer_index i on i.customer_ix = f.customer_ix
order by f.customer_ix
