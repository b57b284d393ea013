SELECT id, late
FROM outcome, this_partition
WHERE happens_at >= starts_at AND happens_at < ends_at
