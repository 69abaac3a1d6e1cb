-- Did a customer buy, browse, both or neither?
-- grain: one row per known customer. inputs: customer_known, orders, views.
-- as-of column: orders.day, views.day. Buying and browsing count for as long as $behaviour_window_days.
-- output: customer_ix, behaviour (exactly one of transaction_only, browsing_only, both, neither)
with bought as (
  select distinct customer_ix
  from orders
  where day < cast($as_of as int) and day >= cast($as_of as int) - $behaviour_window_days
    and is_sale = 1
),
browsed as (
  select distinct customer_ix
  from views
  where day < cast($as_of as int) and day >= cast($as_of as int) - $behaviour_window_days
)
select
  k.customer_ix,
  case
    when b.customer_ix is not null and v.customer_ix is not null then 'both'
    when b.customer_ix is not null then 'transaction_only'
    when v.customer_ix is not null then 'browsing_only'
    else 'neither'
  end as behaviour
from customer_known k
left join bought b on b.customer_ix = k.customer_ix
left join browsed v on v.customer_ix = k.customer_ix
order by k.customer_ix
