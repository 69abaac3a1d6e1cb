-- How were a promotion's offers answered before a day, and how is it made?
-- grain: one row per promotion. inputs: promotion_index, promotions, exposures, redemptions, promotion_scope,
-- product_index, products.
-- as-of column: exposed_on, redeemed_on, launched_on.
-- new_share is the share of its products that were launched in the 56 days before.
-- output: promotion_ix, mechanic_code (by the name's place in the list below), sent, used, new_share
with sent as (
  select promotion_id, count(*) as sent from exposures where exposed_on < $as_of group by promotion_id
),
used as (
  select promotion_id, count(*) as used from redemptions where redeemed_on < $as_of group by promotion_id
),
launched as (
  select
    s.promotion_ix,
    avg(case
      when cast(p.launched_on as int) <= cast($as_of as int)
        and cast(p.launched_on as int) > cast($as_of as int) - 56 then 1.0 else 0.0
    end) as new_share
  from promotion_scope s
  join product_index i on i.product_ix = s.product_ix
  left join products p on p.product_id = i.product_id
  group by s.promotion_ix
)
select
  i.promotion_ix,
  case p.mechanic
    when 'percent' then 0
    when 'money_off' then 1
    when 'buy_x_get_y' then 2
    when 'threshold' then 3
    else 4
  end as mechanic_code,
  coalesce(s.sent, 0) as sent,
  coalesce(u.used, 0) as used,
  coalesce(l.new_share, 0.0) as new_share
from promotion_index i
join promotions p on p.promotion_id = i.promotion_id
left join sent s on s.promotion_id = i.promotion_id
left join used u on u.promotion_id = i.promotion_id
left join launched l on l.promotion_ix = i.promotion_ix
order by i.promotion_ix
