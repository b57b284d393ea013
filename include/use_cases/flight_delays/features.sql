-- One row per flight scheduled on the day, with what was known at the moment of prediction.
WITH flights AS (
    SELECT
        schedule.*,
        hour(scheduled_departure) AS departure_hour,
        hour(scheduled_departure) * 60 + minute(scheduled_departure) AS departure_minute
    FROM schedule, this_partition
    WHERE scheduled_departure >= starts_at AND scheduled_departure < ends_at
),

back AS (  -- days off a moment in a time zone, taken once and not for every flight
    SELECT starts_at - INTERVAL 9 DAY AS week_ago, starts_at - INTERVAL 30 DAY AS month_ago FROM this_partition
),

flown AS (  -- cancelled and diverted flights have no arrival delay and count neither way
    SELECT
        origin, dest, carrier, flight, scheduled_departure,
        (arrival_delay >= 15)::INT AS late,
        greatest(-30, least(120, arrival_delay)) AS delay,
        scheduled_departure >= week_ago AS last_week
    FROM outcomes, back
    WHERE arrival_delay IS NOT NULL AND scheduled_departure >= month_ago
),

by_leg AS (  -- added up once for all that does not depend on the clock
    SELECT
        carrier, flight, dest,
        sum(late) FILTER (last_week) AS late_7d, count(*) FILTER (last_week) AS flown_7d,
        sum(late) AS late_28d, count(*) AS flown_28d, sum(delay) AS delay_28d
    FROM flown GROUP BY carrier, flight, dest
),

by_moment AS (  -- an hour depends on the time zone: it is asked once for all flights of a moment
    SELECT
        origin, scheduled_departure,
        sum(late) FILTER (last_week) AS late_7d, count(*) FILTER (last_week) AS flown_7d,
        sum(late) AS late_28d, count(*) AS flown_28d
    FROM flown GROUP BY origin, scheduled_departure
),

by_carrier AS (
    SELECT carrier, sum(late_7d) / sum(flown_7d) AS carrier_late_7d, sum(late_28d) / sum(flown_28d) AS carrier_late_28d
    FROM by_leg GROUP BY carrier
),

by_dest AS (
    SELECT dest, sum(late_7d) / sum(flown_7d) AS dest_late_7d, sum(late_28d) / sum(flown_28d) AS dest_late_28d
    FROM by_leg GROUP BY dest
),

by_hour AS (
    SELECT
        origin, hour(scheduled_departure) AS departure_hour,
        sum(late_7d) / sum(flown_7d) AS hour_late_7d, sum(late_28d) / sum(flown_28d) AS hour_late_28d
    FROM by_moment GROUP BY origin, departure_hour
),

by_flight AS (
    SELECT
        carrier, flight,
        sum(late_28d) / sum(flown_28d) AS flight_late_28d, sum(delay_28d) / sum(flown_28d) AS flight_mean_delay_28d
    FROM by_leg GROUP BY carrier, flight
),

overall AS (
    SELECT
        sum(late_7d) / sum(flown_7d) AS late_rate_7d,
        sum(late_28d) FILTER (last_day) / sum(flown_28d) FILTER (last_day) AS late_rate_last_day
    FROM (
        SELECT *, scheduled_departure >= (SELECT max(scheduled_departure) - INTERVAL 1 DAY FROM by_moment) AS last_day
        FROM by_moment
    )
),
newest_weather AS (
    SELECT * FROM weather QUALIFY row_number() OVER (PARTITION BY origin ORDER BY observed_at DESC) = 1
)

SELECT
    flight_id,
    scheduled_departure AS event_time,
    origin, dest, carrier, distance,
    dayofweek(scheduled_departure) AS weekday,
    departure_minute,
    arrival_clock // 100 AS arrival_hour,
    (arrival_clock // 100 * 60 + arrival_clock % 100 - departure_minute + 1440) % 1440 AS block_minutes,
    count(*) OVER (PARTITION BY origin, departure_hour) AS flights_in_hour,
    count(*) OVER (PARTITION BY origin) AS flights_in_day,
    late_rate_7d, late_rate_last_day,
    carrier_late_7d, carrier_late_28d,
    dest_late_7d, dest_late_28d,
    hour_late_7d, hour_late_28d,
    flight_late_28d, flight_mean_delay_28d,
    temperature, dew_point, humidity, wind_speed, precipitation, pressure, visibility
FROM flights
CROSS JOIN overall
LEFT JOIN by_carrier USING (carrier)
LEFT JOIN by_dest USING (dest)
LEFT JOIN by_hour USING (origin, departure_hour)
LEFT JOIN by_flight USING (carrier, flight)
LEFT JOIN newest_weather USING (origin)
