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
        hour(scheduled_departure) AS departure_hour,
        arrival_delay >= 15 AS late,
        greatest(-30, least(120, arrival_delay)) AS delay,
        scheduled_departure >= week_ago AS last_week
    FROM outcomes, back
    WHERE arrival_delay IS NOT NULL AND scheduled_departure >= month_ago
),

by_carrier AS (
    SELECT carrier, avg(late::INT) FILTER (last_week) AS carrier_late_7d, avg(late::INT) AS carrier_late_28d
    FROM flown GROUP BY carrier
),

by_dest AS (
    SELECT dest, avg(late::INT) FILTER (last_week) AS dest_late_7d, avg(late::INT) AS dest_late_28d
    FROM flown GROUP BY dest
),

by_hour AS (
    SELECT origin, departure_hour, avg(late::INT) FILTER (last_week) AS hour_late_7d, avg(late::INT) AS hour_late_28d
    FROM flown GROUP BY origin, departure_hour
),

by_flight AS (
    SELECT carrier, flight, avg(late::INT) AS flight_late_28d, avg(delay) AS flight_mean_delay_28d
    FROM flown GROUP BY carrier, flight
),

overall AS (
    SELECT
        avg(late::INT) FILTER (last_week) AS late_rate_7d,
        avg(late::INT) FILTER (scheduled_departure >= (SELECT max(scheduled_departure) - INTERVAL 1 DAY FROM flown))
            AS late_rate_last_day
    FROM flown
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
