-- Does a promotion meet a slot's predicate for a customer? Grain: customer and candidate, in their order.
-- {predicate} is the slot's own.
with offers as (
  select
    m.*, p.promotion_name, p.campaign_id, p.threshold_minor, p.value_minor as face_value_minor,
    p.store_scope, p.channel_scope, p.funding, p.exclusivity_group
  from promotion_master m
  join promotions p on p.promotion_id = m.promotion_id
)
select f.customer_ix, f.promotion_ix, ({predicate}) as meets
from offer_pairs f
join offers o on o.promotion_ix = f.promotion_ix
join customer_master c on c.customer_ix = f.customer_ix
order by f.customer_ix, f.promotion_ix
