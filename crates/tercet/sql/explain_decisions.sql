-- What was decided for one customer? Grain: slot.
select d.slot, d.slot_name, d.promotion_id, case when p.types > 12 then p.department || ' AND MORE' else coalesce(p.product_type, p.category) end as promotion_on,
  d.value_minor, d.value_kind, d.empty_reason, d.reason_codes, d.is_explored, d.propensity, d.planned_promotion_id,
  case when q.types > 12 then q.department || ' AND MORE' else coalesce(q.product_type, q.category) end as planned_on
from decisions d
left join promotion_master p on p.promotion_id = d.promotion_id
left join promotion_master q on q.promotion_id = d.planned_promotion_id
where d.customer_id = $customer
order by d.slot
