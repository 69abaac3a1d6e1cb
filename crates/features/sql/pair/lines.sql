-- What did customers buy and bring back before a day?
-- grain: one row per customer, order, product, day and direction. inputs: lines.
-- as-of column: day.
-- What is brought back may name no product: -1. What lines add up to, bought.rs finds.
-- output: customer_ix, product_ix, order_ix, day, is_sale (0 for a return), is_bulk (true for more than $bulk_quantity
-- units, fuel by the drop, for example: they say nothing about a basket's amount), amount_minor
select
  customer_ix,
  coalesce(product_ix, cast(-1 as int)) as product_ix,
  order_ix,
  day,
  is_sale,
  quantity_milli > 1000 * $bulk_quantity as is_bulk,
  amount_minor
from lines
where day < cast($as_of as int)
