-- Which id has a customer's integer?
-- grain: one row per customer. inputs: customer_index. as-of column: none.
-- output: customer_ix, customer_id
select customer_ix, customer_id from customer_index order by customer_ix
