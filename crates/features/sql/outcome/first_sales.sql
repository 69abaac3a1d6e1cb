-- On which day was a product first sold to the customers that are registered, and where does their data begin?
-- grain: one row per product sold. inputs: transactions.
-- as-of column: occurred_at; rows before $until_day count.
-- output: product_id, first_day (days since 1970-01-01)
select product_id, cast(min(day_number(occurred_at)) as bigint) as first_day
from transactions
where (kind = 'sale' or (kind is null and amount_minor >= 0))
  and day_number(occurred_at) < $until_day
group by product_id
order by product_id
