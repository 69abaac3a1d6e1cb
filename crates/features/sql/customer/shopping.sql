-- At which store, and in which channels, does a customer shop?
-- grain: one row per known customer. inputs: customer_known, customers, transactions, interactions, and the
-- numbers of customers as a function.
-- as-of column: transactions.occurred_at, interactions.occurred_at. Purchases count for $rfm_window_days,
-- browsing for $behaviour_window_days.
-- What the shop's customer table says goes first. The home store is else the one of most orders; of equals
-- the one visited last, then the smaller id. A purchase with a store but no channel was made in channel
-- 'store'; browsing is channel 'app' where the device says so, else 'web'.
-- output: customer_ix, home_store_id, channels (separated by '|', lower case, ascending; null without any),
-- agreed_channels (those of the customer table alone; null where it says nothing)
with bought as (
  select
    customer_number(t.customer_id) as customer_ix,
    t.order_id,
    t.store_id,
    lower(trim(coalesce(t.channel, case when t.store_id is not null then 'store' end))) as channel,
    max(day_number(t.occurred_at)) as day
  from transactions t
  where (t.store_id is not null or t.channel is not null)
    and t.occurred_at < cast($as_of as timestamp)
    and day_number(t.occurred_at) >= cast($as_of as int) - $rfm_window_days
    and case when t.kind is not null then t.kind = 'sale' else t.amount_minor >= 0 end
  group by 1, 2, 3, 4
),
stores as (
  select customer_ix, trim(store_id) as store_id, count(*) as orders, max(day) as last_day
  from bought
  where store_id is not null
  group by 1, 2
),
homes as (
  select customer_ix, first_value(store_id order by orders desc, last_day desc, store_id) as store_id
  from stores
  group by customer_ix
),
used as (
  select customer_ix, channel from bought where channel is not null
  union
  select customer_ix, case when lower(device) = 'app' then 'app' else 'web' end as channel
  from (
    select distinct customer_number(customer_id) as customer_ix, device
    from interactions
    where customer_id is not null
      and occurred_at < cast($as_of as timestamp)
      and day_number(occurred_at) >= cast($as_of as int) - $behaviour_window_days
  )
),
channels as (
  select customer_ix, array_to_string(array_agg(channel order by channel), '|') as channels
  from used
  group by customer_ix
)
select
  k.customer_ix,
  coalesce(trim(c.home_store_id), h.store_id) as home_store_id,
  coalesce(lower(c.channels), u.channels) as channels,
  lower(c.channels) as agreed_channels
from customer_known k
left join customers c on c.customer_id = k.customer_id
left join homes h on h.customer_ix = k.customer_ix
left join channels u on u.customer_ix = k.customer_ix
order by k.customer_ix
