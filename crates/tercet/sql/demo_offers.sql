-- Which offers show what the demo did: one customer of each behaviour segment, two of the largest? Grain:
-- customer and slot.
with slated as (
  select o.customer_id, c.behaviour, count(*) as offers, max(o.value_minor) as best_minor
  from offers o
  join customer_master c on c.customer_id = o.customer_id
  group by o.customer_id, c.behaviour
),
ranked as (
  select customer_id, behaviour,
    row_number() over (partition by behaviour order by offers desc, best_minor desc, customer_id) as place
  from slated
)
select r.behaviour, o.customer_id, o.slot, case when p.types > 12 then p.department || ' AND MORE' else coalesce(p.product_type, p.category) end as promotion_on, o.code,
  o.value_minor, o.reasons
from offers o
join ranked r on r.customer_id = o.customer_id
left join promotion_master p on p.promotion_id = o.promotion_id
where r.place = 1 or (r.place = 2 and r.behaviour = 'transaction_only')
order by r.behaviour desc, o.customer_id, o.slot
