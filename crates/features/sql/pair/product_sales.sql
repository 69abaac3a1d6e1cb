-- What share of its type, category, maker and maker's type is a product, by lines sold in twelve weeks?
-- grain: one row per product sold in twelve weeks. inputs: product_days, product_codes.
-- as-of column: day.
-- output: product_ix, lines_12w, lines_4w, amount_12w_minor, type_share_e8, category_share_e8,
-- maker_share_e8, maker_type_share_e8 (hundred-millionths)
with sales as (
  select
    product_ix,
    sum(orders) as lines_12w,
    sum(case when day >= cast($as_of as int) - 28 then orders else 0 end) as lines_4w,
    sum(amount_minor) as amount_12w_minor
  from product_days
  where day < cast($as_of as int) and day >= cast($as_of as int) - 84
  group by product_ix
),
coded as (
  select s.*, k.type_ix, k.category_ix, k.maker_ix, k.maker_type_ix
  from sales s
  join product_codes k on k.product_ix = s.product_ix
)
select
  product_ix,
  lines_12w,
  lines_4w,
  amount_12w_minor,
  type_ix,
  100000000 * lines_12w / sum(lines_12w) over (partition by type_ix) as type_share_e8,
  100000000 * lines_12w / sum(lines_12w) over (partition by category_ix) as category_share_e8,
  100000000 * lines_12w / sum(lines_12w) over (partition by maker_ix) as maker_share_e8,
  100000000 * lines_12w / sum(lines_12w) over (partition by maker_type_ix) as maker_type_share_e8
from coded
order by product_ix
