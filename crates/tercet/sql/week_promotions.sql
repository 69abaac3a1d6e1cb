-- What does deciding need of promotions? Grain: promotion known as of the Monday.
select
  m.promotion_ix, p.promotion_name, m.product_type, m.category, m.buyers_4w, m.price_mean_minor,
  m.discount_rate, m.discount_minor, m.value_is_estimated, m.is_candidate,
  p.cap, p.budget_minor, p.exclusivity_group, p.audience
from promotion_master m
join promotions p on p.promotion_id = m.promotion_id
order by m.promotion_ix
