-- Which offers were not made to one customer, the most valuable first? Grain: candidate promotion.
-- `rival` is the offer that took its place, where there is one.
select c.promotion_id, case when p.types > 12 then p.department || ' AND MORE' else coalesce(p.product_type, p.category) end as promotion_on, c.value_minor,
  c.rule, c.rule_is_of_customer, c.slots, d.value_kind, s.store_scope, s.channel_scope, s.audience,
  o.slot_name as rival_slot, o.promotion_id as rival_id,
  case when r.types > 12 then r.department || ' AND MORE' else coalesce(r.product_type, r.category) end as rival_on
from candidates c
left join promotion_master p on p.promotion_id = c.promotion_id
left join promotions s on s.promotion_id = c.promotion_id
left join decisions o on o.customer_id = c.customer_id and o.slot = c.rival_slot
left join promotion_master r on r.promotion_id = o.promotion_id
cross join (
  select min(value_kind) as value_kind from decisions where customer_id = $customer
) d
where c.customer_id = $customer and c.slot is null
order by c.value_minor desc, c.promotion_id
