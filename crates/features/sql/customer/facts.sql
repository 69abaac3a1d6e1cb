-- What do we know about a customer without looking at others, as of a day?
-- grain: one row per known customer. inputs: customer_known, customer_rhythm, customer_lifecycle,
-- customer_behaviour, customer_profile, customer_shopping, customers.
-- as-of column: those of the inputs.
-- The name in braces is replaced by the shop's own profile columns, each as text under profile_<name>.
-- output: the columns below, then the profile columns; counts and money are 0 without an order, all else
-- is null
select
  k.customer_ix,
  k.customer_id,
  b.behaviour,
  l.lifecycle,
  l.tenure_days,
  h.median_gap_days,
  coalesce(h.orders_4w, 0) as orders_4w,
  coalesce(h.orders_8w, 0) as orders_8w,
  coalesce(h.orders_12w, 0) as orders_12w,
  coalesce(h.spend_4w_minor, 0) as spend_4w_minor,
  coalesce(h.spend_8w_minor, 0) as spend_8w_minor,
  coalesce(h.spend_12w_minor, 0) as spend_12w_minor,
  h.basket_mean_minor,
  h.spend_trend,
  p.device,
  p.region,
  p.traffic_source,
  s.home_store_id,
  s.channels,
  s.agreed_channels,
  k.consent,
  k.suppressed{profile_columns}
from customer_known k
join customer_behaviour b on b.customer_ix = k.customer_ix
join customer_lifecycle l on l.customer_ix = k.customer_ix
join customer_profile p on p.customer_ix = k.customer_ix
join customer_shopping s on s.customer_ix = k.customer_ix
left join customer_rhythm h on h.customer_ix = k.customer_ix
left join customers c on c.customer_id = k.customer_id
order by k.customer_ix
