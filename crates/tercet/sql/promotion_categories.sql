-- Which categories is each promotion on, by its eligible products? Grain: promotion and category.
select distinct e.promotion_ix, k.category_ix
from eligible_products e
join product_codes k on k.product_ix = e.product_ix
order by k.category_ix, e.promotion_ix
