-- Which products did each promotion hold for on a past Monday, in integers? Grain: promotion and product.
select promotion_ix, product_ix from scope_products order by promotion_ix, product_ix
