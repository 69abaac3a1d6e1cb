-- What is known of one customer? Grain: the customer.
select
  c.behaviour, c.lifecycle, c.rfm_segment,
  'R' || cast(c.r_score as varchar) || ' F' || cast(c.f_score as varchar) || ' M' || cast(c.m_score as varchar) as rfm_scores,
  cast(c.frequency as varchar) as frequency,
  cast(c.recency_days as varchar) as recency_days,
  c.home_store_id, replace(c.channels, '|', ', ') as channels, c.agreed_channels is not null as are_agreed,
  d.arm, d.experiment, d.experiment_arm, d.engine
from customer_master c
left join (
  select distinct customer_id, arm, experiment, experiment_arm, engine from decisions
) d on d.customer_id = c.customer_id
where c.customer_id = $customer
