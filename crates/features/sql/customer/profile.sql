-- On which device, where, and from where does a customer come?
-- grain: one row per known customer. inputs: customer_known, interactions, and the numbers of
-- customers as a function.
-- as-of column: interactions.occurred_at. The latest event that names it wins, the smaller name on
-- a tie; then what the shop's own customer table says.
-- output: customer_ix, device, traffic_source, region
with events as (
  select customer_number(customer_id) as customer_ix, occurred_at, device, traffic_source
  from interactions
  where customer_id is not null and occurred_at < cast($as_of as timestamp)
),
devices as (
  select customer_ix, first_value(device order by occurred_at desc, device) as device
  from events
  where device is not null
  group by customer_ix
),
traffic as (
  select
    customer_ix,
    first_value(traffic_source order by occurred_at desc, traffic_source) as traffic_source
  from events
  where traffic_source is not null
  group by customer_ix
)
select
  k.customer_ix,
  coalesce(d.device, k.device) as device,
  coalesce(t.traffic_source, k.traffic_source) as traffic_source,
  k.region
from customer_known k
left join devices d on d.customer_ix = k.customer_ix
left join traffic t on t.customer_ix = k.customer_ix
order by k.customer_ix
