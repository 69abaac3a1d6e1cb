-- What was bought of a product with a coupon?
-- grain: one row per product (of one part of the customers). inputs: lines.
-- as-of column: day.
-- output: product_ix, lines, amount_minor, coupon_discount_minor
select
  product_ix,
  count(*) as lines,
  sum(amount_minor) as amount_minor,
  sum(coupon_discount_minor) as coupon_discount_minor
from lines
where day < cast($as_of as int)
  and is_sale = 1 and coupon_discount_minor > 0 and amount_minor > 0
group by product_ix
order by product_ix
