-- Which products count for the promotions in question, in order?
-- grain: one row per promotion and product. inputs: scope_products.
-- as-of column: that of scope_products.
-- output: promotion_ix, product_ix
select promotion_ix, product_ix from scope_products order by promotion_ix, product_ix
