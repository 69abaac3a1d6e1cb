-- Which order lines take something back?
-- grain: one row per return or cancellation; inputs: _in_transactions
select _n, order_id, customer_id, product_id, original_order_id, kind,
  cast(occurred_at as date) as day, cast(arrow_cast(occurred_at, 'Int64') as bigint) as micros,
  -abs(quantity) as quantity, -abs(amount_minor) as amount_minor
from _in_transactions
where coalesce(kind, case when amount_minor < 0 or quantity < 0 then 'return' else 'sale' end) <> 'sale'
order by occurred_at, _n
