-- What was bought of a product with a coupon, by all customers?
-- grain: one row per product. inputs: product_redeemed of several parts. as-of column: that of the input.
-- output: product_ix, lines, amount_minor, coupon_discount_minor
select
  product_ix,
  sum(lines) as lines,
  sum(amount_minor) as amount_minor,
  sum(coupon_discount_minor) as coupon_discount_minor
from product_redeemed
group by product_ix
order by product_ix
