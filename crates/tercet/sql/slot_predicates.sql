-- Which offers meet the slots' predicates? Grain: customer and candidate; `row` is its place.
-- {predicates} are the slots' own.
with offers as (
  select
    m.*, p.promotion_name, p.campaign_id, p.threshold_minor, p.value_minor as face_value_minor,
    p.store_scope, p.channel_scope, p.funding, p.exclusivity_group
  from promotion_master m
  join promotions p on p.promotion_id = m.promotion_id
)
select f.row, {predicates}
from offer_pairs f
join offers o on o.promotion_ix = f.promotion_ix
join customer_master c on c.customer_ix = f.customer_ix
