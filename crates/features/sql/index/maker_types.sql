-- Which type, category and maker does a maker's type belong to?
-- grain: one row per maker_type_ix. inputs: product_codes.
-- as-of column: none.
-- output: maker_type_ix, type_ix, category_ix, maker_ix
select
  maker_type_ix,
  min(type_ix) as type_ix,
  min(category_ix) as category_ix,
  min(maker_ix) as maker_ix
from product_codes
group by maker_type_ix
order by maker_type_ix
