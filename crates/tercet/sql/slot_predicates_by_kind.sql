-- Which kinds of offers meet the slots' predicates? Grain: candidate and kind of pair; `row` is its place.
-- {predicates} are the slots' own. One that looks at the customer, or at more of the pair, does not know its columns.
select f.row, {predicates}
from offer_pairs f
join slot_promotions o on o.promotion_ix = f.promotion_ix
