-- What does one unit of a product cost?
-- grain: one row per product with a known price. inputs: product_index, products, lines.
-- as-of column: lines.day.
-- The shop's regular price; else the median price paid per unit over sale lines, to the nearest minor unit.
-- output: product_ix, price_minor, price_is_estimated
with paid as (
  select
    product_ix,
    cast(round(median(cast(amount_minor as double) * 1000.0 / cast(quantity_milli as double)))
      as bigint) as price_minor
  from lines
  where day < cast($as_of as int)
    and is_sale = 1 and quantity_milli > 0 and amount_minor > 0
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
