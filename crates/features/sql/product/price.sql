-- What does one unit of a product cost?
-- grain: one row per product with a known price. inputs: product_index, products,
-- product_paid.
-- as-of column: that of product_paid.
-- The shop's regular price; else the median price paid per unit over sale lines (the mean of the two middle
-- ones), to the nearest minor unit.
-- output: product_ix, price_minor, price_is_estimated
with ranked as (
  select
    product_ix,
    unit_minor,
    sum(lines) over (
      partition by product_ix order by unit_minor
      rows between unbounded preceding and current row
    ) as lines_up_to,
    sum(lines) over (partition by product_ix) as lines
  from product_paid
),
paid as (
  select
    product_ix,
    cast(round((
      min(case when 2 * lines_up_to >= lines then unit_minor end)
      + min(case when 2 * lines_up_to > lines then unit_minor end)
    ) / 2.0) as bigint) as price_minor
  from ranked
  group by product_ix
)
select
  i.product_ix,
  coalesce(p.price_minor, d.price_minor) as price_minor,
  p.price_minor is null as price_is_estimated
from product_index i
left join products p on p.product_id = i.product_id
left join paid d on d.product_ix = i.product_ix
where coalesce(p.price_minor, d.price_minor) > 0
order by i.product_ix
