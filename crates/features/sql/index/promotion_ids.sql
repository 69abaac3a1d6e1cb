-- Which id has a promotion's integer?
-- grain: one row per promotion. inputs: promotion_index. as-of column: none.
-- output: promotion_ix, promotion_id
select promotion_ix, promotion_id from promotion_index order by promotion_ix
