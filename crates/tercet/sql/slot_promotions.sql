-- What may the predicates of slots look at of a promotion? Grain: promotion.
select
  m.*, p.promotion_name, p.campaign_id, p.threshold_minor, p.value_minor as face_value_minor,
  p.store_scope, p.channel_scope, p.funding, p.exclusivity_group
from promotion_master m
join promotions p on p.promotion_id = m.promotion_id
