-- What was bought of each offer's products in its window?
-- Grain: offer and order line. Inputs: decided (row, slate, customer_id, promotion_id, from_day, to_day),
-- customer_index, promotion_index, promotion_scope, product_index, products, lines.
-- Margin: the product's rate of what it costs before coupons, less what coupons take off.
select
  o.row, o.slate, l.order_ix, l.product_ix, l.day, l.is_sale,
  l.amount_minor as revenue_minor,
  cast(round(
    (l.amount_minor + l.coupon_discount_minor) * coalesce(m.margin_rate, $margin_rate)
  ) as bigint) - l.coupon_discount_minor as margin_minor
from (
  select d.row, d.slate, d.from_day, d.to_day, c.customer_ix, p.promotion_ix
  from decided d
  join customer_index c on c.customer_id = d.customer_id
  join promotion_index p on p.promotion_id = d.promotion_id
) o
join lines l on l.customer_ix = o.customer_ix
join promotion_scope s on s.promotion_ix = o.promotion_ix and s.product_ix = l.product_ix
left join (
  select i.product_ix, r.margin_rate
  from product_index i
  join products r on r.product_id = i.product_id
) m on m.product_ix = l.product_ix
where l.day between o.from_day and o.to_day
order by o.row, l.order_ix, l.product_ix, l.day, l.is_sale
