-- On which days did a customer buy a product type?
-- grain: one row per customer, type_ix and day of a sale. inputs: maker_type_days, maker_types.
-- as-of column: day.
-- output: customer_ix, type_ix, day
select distinct d.customer_ix, t.type_ix, d.day
from maker_type_days d
join maker_types t on t.maker_type_ix = d.maker_type_ix
