-- In which week was a product launched, and what is its margin?
-- grain: one row per product. inputs: product_index, products, first_sales.
-- as-of column: launched_on, first_day. A product that the shop does not date was launched when it was first
-- sold, unless that lies within $novelty_weeks weeks of the beginning of the data ($begin_day): then nobody knows.
-- output: product_ix, launched_week (weeks since $first_day; null when not known), margin_rate
select
  i.product_ix,
  cast(floor((
    coalesce(
      cast(cast(p.launched_on as int) as bigint),
      case when f.first_day >= $begin_day + 7 * $novelty_weeks then f.first_day end
    ) - $first_day
  ) / 7.0) as int) as launched_week,
  p.margin_rate
from product_index i
left join products p on p.product_id = i.product_id
left join first_sales f on f.product_id = i.product_id
order by i.product_ix
