-- Late means 15 minutes or more after the scheduled arrival. A cancelled or diverted flight never arrived, so its
-- label is undefined: it is scored, counted, and left out of training and of every metric.
SELECT flight_id, (arrival_delay >= 15)::INT AS late
FROM outcomes, this_partition
WHERE scheduled_departure >= starts_at AND scheduled_departure < ends_at
