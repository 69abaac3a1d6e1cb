-- What do we know about a customer, as of a day?
-- grain: one row per known customer. inputs: customer_facts, customer_rfm.
-- as-of column: those of the inputs.
-- The name in braces is replaced by the shop's own profile columns.
-- output: the columns below, then the profile columns; counts and money are 0 without an order, all else
-- is null
select
  c.customer_ix,
  c.customer_id,
  c.behaviour,
  c.lifecycle,
  f.rfm_segment,
  f.r_score,
  f.f_score,
  f.m_score,
  f.recency_days,
  coalesce(f.frequency, 0) as frequency,
  coalesce(f.monetary_minor, 0) as monetary_minor,
  c.tenure_days,
  c.median_gap_days,
  c.orders_4w,
  c.orders_8w,
  c.orders_12w,
  c.spend_4w_minor,
  c.spend_8w_minor,
  c.spend_12w_minor,
  c.basket_mean_minor,
  c.spend_trend,
  c.device,
  c.region,
  c.traffic_source,
  c.home_store_id,
  c.channels,
  c.agreed_channels,
  c.consent,
  c.suppressed{profile_columns}
from customer_rfm f
right join customer_facts c on c.customer_id = f.customer_id
order by c.customer_ix
