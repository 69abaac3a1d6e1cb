-- Who is a customer, as of a day?
-- grain: one row per customer known by then. inputs: customer_index, customers, orders, views.
-- as-of column: customers.first_seen_on, orders.day, views.day. A row of customers without
-- first_seen_on is known from the start; an order or event makes its customer known.
-- output: customer_ix, customer_id, first_seen_on, region, device, traffic_source, consent, suppressed
with named as (
  select
    i.customer_ix, c.customer_id, c.first_seen_on, c.region, c.device, c.traffic_source,
    coalesce(c.consent, $default_consent) as consent,
    coalesce(c.suppressed, false) as suppressed
  from customers c
  join customer_index i on i.customer_id = c.customer_id
),
seen as (
  select distinct customer_ix from orders where day < cast($as_of as int)
  union
  select distinct customer_ix from views where day < cast($as_of as int)
)
select
  i.customer_ix,
  i.customer_id,
  n.first_seen_on,
  n.region,
  n.device,
  n.traffic_source,
  coalesce(n.consent, $default_consent) as consent,
  coalesce(n.suppressed, false) as suppressed
from customer_index i
left join named n on n.customer_ix = i.customer_ix
left join seen s on s.customer_ix = i.customer_ix
where s.customer_ix is not null
  or (n.customer_ix is not null and (n.first_seen_on is null or n.first_seen_on < $as_of))
order by i.customer_ix
