-- Which products does each promotion hold for, in integers? Grain: promotion and product.
select promotion_ix, product_ix from eligible_products order by promotion_ix, product_ix
