-- Which offers could have been made, when two engines decided? Grain: customer and candidate promotion.
select * from rows_of_sides order by customer_id, promotion_id
