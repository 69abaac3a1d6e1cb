-- From when to when do the transactions reach?
-- grain: one row. inputs: transactions.
-- output: first_day, last_day (null without any)
select cast(min(occurred_at) as date) as first_day, cast(max(occurred_at) as date) as last_day
from transactions
