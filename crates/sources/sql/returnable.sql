-- Which order lines may a return take back?
-- grain: one row per sale of a product to a customer who returned it; inputs: _in_transactions, _returns
select s._n, s.order_id, s.customer_id, s.product_id,
  cast(s.occurred_at as date) as day, cast(arrow_cast(s.occurred_at, 'Int64') as bigint) as micros,
  s.quantity, s.amount_minor
from _in_transactions s
left semi join _returns r on s.customer_id = r.customer_id and s.product_id = r.product_id
where coalesce(s.kind, case when s.amount_minor < 0 or s.quantity < 0 then 'return' else 'sale' end) = 'sale'
order by s.occurred_at, s._n
