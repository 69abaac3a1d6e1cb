-- What do we know about a promotion, as of a day?
-- grain: one row per promotion known by then. inputs: promotion_index, promotions,
-- promotion_main_product, promotion_demand, promotion_price, promotion_depth,
-- promotion_candidates, products (for names), product_index, product_codes.
-- as-of column: valid_from and those of the inputs.
-- discount_rate is the shop's own value, or value_minor over the mean price, or the estimate; discount_minor is
-- what one redemption costs.
-- output: the columns below
with names as (
  select
    k.type_ix,
    min(p.department) as department,
    min(p.category) as category,
    min(p.product_type) as product_type
  from product_codes k
  join product_index i on i.product_ix = k.product_ix
  join products p on p.product_id = i.product_id
  group by k.type_ix
),
facts as (
  select
    r.promotion_ix,
    r.promotion_id,
    p.mechanic,
    r.valid_from,
    r.valid_to,
    coalesce(m.breadth, 0) as breadth,
    coalesce(m.types, 0) as types,
    m.department_ix,
    m.category_ix,
    m.type_ix,
    n.department,
    n.category,
    n.product_type,
    coalesce(d.buyers_4w, 0) as buyers_4w,
    coalesce(d.buyers_8w, 0) as buyers_8w,
    coalesce(d.buyers_12w, 0) as buyers_12w,
    case when m.breadth > 0
      then cast(coalesce(d.bought_4w, 0) as double) / cast(m.breadth as double)
    end as bought_4w_rate,
    c.price_mean_minor,
    p.value_rate is null and p.value_minor is null as value_is_estimated,
    greatest(0.0, least(1.0, coalesce(
      p.value_rate,
      case when c.price_mean_minor > 0
        then cast(p.value_minor as double) / cast(c.price_mean_minor as double)
      end,
      e.depth_rate,
      $default_discount_rate
    ))) as discount_rate,
    p.value_minor,
    coalesce(e.redeemed_minor, c.price_mean_minor, 0) as redeemed_minor,
    a.promotion_ix is not null as is_candidate
  from promotion_index r
  join promotions p on p.promotion_id = r.promotion_id
  left join promotion_main_product m on m.promotion_ix = r.promotion_ix
  left join names n on n.type_ix = m.type_ix
  left join promotion_demand d on d.promotion_ix = r.promotion_ix
  left join promotion_price c on c.promotion_ix = r.promotion_ix
  left join promotion_depth e on e.promotion_ix = r.promotion_ix
  left join promotion_candidates a on a.promotion_ix = r.promotion_ix
  where r.valid_from <= $as_of
)
select
  promotion_ix, promotion_id, mechanic, valid_from, valid_to, breadth, types,
  department_ix, category_ix, type_ix, department, category, product_type,
  buyers_4w, buyers_8w, buyers_12w, bought_4w_rate, price_mean_minor,
  discount_rate,
  coalesce(value_minor, cast(round(discount_rate * cast(redeemed_minor as double)) as bigint))
    as discount_minor,
  value_is_estimated,
  is_candidate
from facts
order by promotion_ix
