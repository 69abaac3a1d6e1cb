-- What do we know about a product, as of a day?
-- grain: one row per product sold or on the list by then. inputs: product_index, product_codes,
-- products, product_price, product_momentum, product_repurchase.
-- as-of column: those of the inputs.
-- Price bands are terciles within the category (1 cheapest), ties by product; null without a price.
-- output: the columns below
with banded as (
  select
    r.product_ix,
    ntile(3) over (partition by k.category_ix order by r.price_minor, r.product_ix) as price_band
  from product_price r
  join product_codes k on k.product_ix = r.product_ix
)
select
  i.product_ix,
  i.product_id,
  p.product_name,
  p.department,
  p.category,
  p.product_type,
  p.brand,
  p.manufacturer,
  k.department_ix,
  k.category_ix,
  k.type_ix,
  k.brand_ix,
  r.price_minor,
  coalesce(r.price_is_estimated, false) as price_is_estimated,
  cast(b.price_band as int) as price_band,
  coalesce(p.margin_rate, $default_margin_rate) as margin_rate,
  p.margin_rate is null as margin_is_default,
  m.first_sold_day,
  coalesce(m.buyers_4w, 0) as buyers_4w,
  coalesce(m.buyers_prior_4w, 0) as buyers_prior_4w,
  m.growth_z,
  coalesce(m.is_fast_growing, false) as is_fast_growing,
  coalesce(m.is_newly_launched, false) as is_newly_launched,
  q.repurchase_days,
  coalesce(q.repeat_buyers, 0) as repeat_buyers,
  coalesce(p.discontinued_on <= $as_of, false) as is_discontinued
from product_index i
join product_codes k on k.product_ix = i.product_ix
left join products p on p.product_id = i.product_id
left join product_price r on r.product_ix = i.product_ix
left join banded b on b.product_ix = i.product_ix
left join product_momentum m on m.product_ix = i.product_ix
left join product_repurchase q on q.product_ix = i.product_ix
where m.first_sold_day is not null
  or (p.product_id is not null and (p.launched_on is null or p.launched_on <= $as_of))
order by i.product_ix
