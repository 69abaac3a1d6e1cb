-- Which offers were not made to one customer, the most valuable first? Grain: candidate promotion.
select c.promotion_id, case when p.types > 12 then p.department || ' AND MORE' else coalesce(p.product_type, p.category) end as promotion_on, c.value_minor,
  coalesce(c.rule, case when c.slots = 0 then 'no_slot_asks_for_its_kind' end) as rule, d.value_kind
from candidates c
left join promotion_master p on p.promotion_id = c.promotion_id
cross join (select min(value_kind) as value_kind from decisions) d
where c.customer_id = $customer and c.slot is null
order by c.value_minor desc, c.promotion_id
