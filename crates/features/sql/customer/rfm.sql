-- How does a customer's buying compare with everybody's?
-- grain: one row per customer with an order. inputs: customer_rfm_facts of all customers, with the quintiles that
-- quintiles.rs adds.
-- as-of column: that of customer_rfm_facts.
-- Scores 1 to 5, 5 best: quintiles, or steps given by the configured thresholds.
-- Segments by r and by v, the mean of f and m rounded up:
--   r 4-5, v 4-5  champions (r 5 or v 5), else loyal     r 3, v 4-5  loyal
--   r 4-5, v 2-3  potential_loyal                        r 3, v 3    need_attention
--   r 5, v 1      new                                    r 3, v 1-2  about_to_sleep
--   r 4, v 1      promising                              r 1-2, v 5  cannot_lose
--   r 1-2, v 3-4  at_risk                                r 1-2, v 1-2  hibernating
-- output: part, customer_id, recency_days, frequency, monetary_minor, r_score, f_score, m_score, rfm_segment
with scored as (
  select
    part,
    customer_id,
    recency_days,
    frequency,
    monetary_minor,
    cast(case
      when not $by_recency_thresholds then r_quintile
      when recency_days <= $recency_1 then 5
      when recency_days <= $recency_2 then 4
      when recency_days <= $recency_3 then 3
      when recency_days <= $recency_4 then 2
      else 1
    end as int) as r_score,
    cast(case
      when not $by_frequency_thresholds then f_quintile
      when frequency >= $frequency_4 then 5
      when frequency >= $frequency_3 then 4
      when frequency >= $frequency_2 then 3
      when frequency >= $frequency_1 then 2
      else 1
    end as int) as f_score,
    cast(case
      when not $by_monetary_thresholds then m_quintile
      when monetary_minor >= $monetary_4 then 5
      when monetary_minor >= $monetary_3 then 4
      when monetary_minor >= $monetary_2 then 3
      when monetary_minor >= $monetary_1 then 2
      else 1
    end as int) as m_score
  from customer_rfm_facts
)
select
  part,
  customer_id,
  recency_days,
  frequency,
  monetary_minor,
  r_score,
  f_score,
  m_score,
  case
    when r_score = 5 and v_score >= 4 then 'champions'
    when r_score = 4 and v_score = 5 then 'champions'
    when r_score in (3, 4) and v_score >= 4 then 'loyal'
    when r_score >= 4 and v_score >= 2 then 'potential_loyal'
    when r_score = 5 then 'new'
    when r_score = 4 then 'promising'
    when r_score = 3 and v_score = 3 then 'need_attention'
    when r_score = 3 then 'about_to_sleep'
    when v_score = 5 then 'cannot_lose'
    when v_score >= 3 then 'at_risk'
    else 'hibernating'
  end as rfm_segment
from (select *, (f_score + m_score + 1) / 2 as v_score from scored)
order by part, customer_id
