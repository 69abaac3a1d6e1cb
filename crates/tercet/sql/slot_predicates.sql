-- Which offers meet the slots' predicates? Grain: customer and candidate; `row` is its place.
-- {predicates} are the slots' own.
select f.row, {predicates}
from offer_pairs f
join slot_promotions o on o.promotion_ix = f.promotion_ix
join customer_master c on c.customer_ix = f.customer_ix
