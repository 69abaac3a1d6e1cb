-- What does deciding need of promotions? Grain: promotion known as of the Monday.
-- The margin is that of its products, by what is sold of them: each with its buyers of eight weeks plus one.
with sold as (
  select
    e.promotion_ix,
    p.price_minor * (1 + p.buyers_4w + p.buyers_prior_4w) as amount,
    cast(round(p.margin_rate * 1000) as bigint) as margin_milli,
    p.margin_is_default
  from eligible_products e
  join product_master p on p.product_ix = e.product_ix
  where p.price_minor > 0
),
margins as (
  select
    promotion_ix,
    cast(sum(amount * margin_milli) as double) / cast(sum(amount) as double) / 1000.0 as margin_rate,
    count(*) filter (where margin_is_default) as untold_products
  from sold
  group by promotion_ix
)
select
  m.promotion_ix, p.promotion_name,
  case when m.types > 12 then m.department || ' AND MORE' else coalesce(m.product_type, m.category) end as is_on,
  m.buyers_4w, m.price_mean_minor, m.discount_rate, m.discount_minor, g.margin_rate, g.untold_products, m.is_candidate,
  p.cap, p.budget_minor, p.exclusivity_group, p.audience, p.store_scope, p.channel_scope
from promotion_master m
join promotions p on p.promotion_id = m.promotion_id
left join margins g on g.promotion_ix = m.promotion_ix
order by m.promotion_ix
