-- What share of each product type does a promotion cover?
-- grain: one row per promotion and type_ix. inputs: promotion_levels.
-- as-of column: that of promotion_levels.
-- output: promotion_ix, type_ix, share_e8 (hundred-millionths, by lines sold in twelve weeks; above 0)
select promotion_ix, level_key / 4 as type_ix, share_e8
from promotion_levels
where level_key % 4 = 0
order by promotion_ix, type_ix
