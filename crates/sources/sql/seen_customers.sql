-- Which customers are named anywhere but not in the customers table?
-- grain: one row per customer; inputs: all mapped tables
select s.customer_id, min(s.visitor) = 1 as is_visitor
from (
  select distinct customer_id, 0 as visitor from _in_transactions
  union all
  select distinct customer_id, case when _anonymous then 1 else 0 end from _in_interactions
  union all
  select distinct customer_id, 0 from _in_exposures
  union all
  select distinct customer_id, 0 from _in_redemptions
) s
left anti join _in_customers c on s.customer_id = c.customer_id
group by s.customer_id
order by s.customer_id
