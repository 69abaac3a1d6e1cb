-- Where does a customer stand between the first and the last order?
-- grain: one row per known customer. inputs: customer_known, customer_rhythm.
-- as-of column: days in customer_rhythm.
-- never: no order; lapsed: none for more than $lapsed_days; new: the first within $new_days;
-- returning: all others.
-- output: customer_ix, lifecycle, tenure_days (since the first order; null without)
select
  k.customer_ix,
  case
    when r.last_day is null then 'never'
    when cast($as_of as int) - r.last_day > $lapsed_days then 'lapsed'
    when cast($as_of as int) - r.first_day <= $new_days then 'new'
    else 'returning'
  end as lifecycle,
  cast($as_of as int) - r.first_day as tenure_days
from customer_known k
left join customer_rhythm r on r.customer_ix = k.customer_ix
order by k.customer_ix
