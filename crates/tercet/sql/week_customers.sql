-- What does deciding need of customers? Grain: customer known as of the Monday.
select
  customer_ix, customer_id, behaviour, rfm_segment, recency_days, frequency, monetary_minor,
  home_store_id, channels, agreed_channels,
  coalesce(consent, false) and not coalesce(suppressed, false) as may_be_contacted
from customer_master
order by customer_ix
