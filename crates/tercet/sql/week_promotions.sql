-- What does deciding need of promotions? Grain: promotion known as of the Monday.
select
  m.promotion_ix, p.promotion_name,
  case when m.types > 12 then m.department || ' AND MORE' else coalesce(m.product_type, m.category) end as is_on,
  m.buyers_4w, m.price_mean_minor, m.discount_rate, m.discount_minor, m.is_candidate,
  p.cap, p.budget_minor, p.exclusivity_group, p.audience, p.store_scope, p.channel_scope
from promotion_master m
join promotions p on p.promotion_id = m.promotion_id
order by m.promotion_ix
