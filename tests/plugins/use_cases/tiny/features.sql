SELECT id, happens_at AS event_time, amount, colour
FROM plan, this_partition
WHERE happens_at >= starts_at AND happens_at < ends_at
