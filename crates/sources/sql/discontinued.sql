-- From which day on is a product no longer sold?
-- grain: one row per product; inputs: _in_products, _sold, {unsold_days} (null: never by itself)
select {columns},
  coalesce(
    p.discontinued_on,
    case when l.last_sold_on + {unsold_days} < $as_of then l.last_sold_on + {unsold_days} end
  ) as discontinued_on
from _in_products p
left join _sold l on p.product_id = l.product_id
