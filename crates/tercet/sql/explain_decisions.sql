-- What was decided for one customer? Grain: slot.
select d.slot, d.slot_name, d.promotion_id, case when p.types > 12 then p.department || ' AND MORE' else coalesce(p.product_type, p.category) end as promotion_on,
  d.value_minor, d.value_kind, d.empty_reason, d.reason_codes
from decisions d
left join promotion_master p on p.promotion_id = d.promotion_id
where d.customer_id = $customer
order by d.slot
