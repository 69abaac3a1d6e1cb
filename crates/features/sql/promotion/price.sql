-- What do a promotion's products cost, by what is sold of them?
-- grain: one row per promotion with a priced product. inputs: eligible_products, product_price,
-- product_momentum.
-- as-of column: those of the inputs.
-- The mean price, each product weighted by its buyers of eight weeks plus one.
-- output: promotion_ix, price_mean_minor
select
  e.promotion_ix,
  sum(p.price_minor * (1 + coalesce(m.buyers_4w, 0) + coalesce(m.buyers_prior_4w, 0)))
    / sum(1 + coalesce(m.buyers_4w, 0) + coalesce(m.buyers_prior_4w, 0)) as price_mean_minor
from eligible_products e
join product_price p on p.product_ix = e.product_ix
left join product_momentum m on m.product_ix = e.product_ix
group by e.promotion_ix
order by e.promotion_ix
