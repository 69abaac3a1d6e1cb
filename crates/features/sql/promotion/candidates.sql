-- Which promotions can be offered on a day?
-- grain: one row per promotion that runs and covers a product. inputs: promotion_index,
-- eligible_products.
-- as-of column: valid_from, valid_to.
-- output: promotion_ix, breadth
select r.promotion_ix, cast(count(*) as int) as breadth
from promotion_index r
join eligible_products e on e.promotion_ix = r.promotion_ix
where r.valid_from <= $as_of and $as_of <= r.valid_to
group by r.promotion_ix
order by r.promotion_ix
