-- Which customers meet a predicate over the customer master? {predicate} is the shop's own.
select customer_ix from customer_master where ({predicate}) order by customer_ix
