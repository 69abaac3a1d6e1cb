-- Which type and brand is each product, in the order of the product index?
select type_ix, brand_ix from product_codes order by product_ix
