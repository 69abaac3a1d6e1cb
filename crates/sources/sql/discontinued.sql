-- From which day on is a product no longer sold?
-- grain: one row per product; inputs: _in_products, _in_transactions, {unsold_days} (null: never by itself)
with last_sales as (
  select product_id, max(cast(occurred_at as date)) as last_sold_on
  from _in_transactions
  where quantity > 0 or amount_minor > 0
  group by product_id
)
select {columns},
  coalesce(
    p.discontinued_on,
    case when l.last_sold_on + {unsold_days} < $as_of then l.last_sold_on + {unsold_days} end
  ) as discontinued_on
from _in_products p
left join last_sales l on p.product_id = l.product_id
