-- At which prices was a product sold, and how often?
-- grain: one row per product and price paid for a unit (of one part of the customers). inputs: lines.
-- as-of column: day.
-- output: product_ix, unit_minor (a double), lines
select
  product_ix,
  cast(amount_minor as double) * 1000.0 / cast(quantity_milli as double) as unit_minor,
  count(*) as lines
from lines
where day < cast($as_of as int)
  and is_sale = 1 and quantity_milli > 0 and amount_minor > 0
group by 1, 2
order by 1, 2
