"""What there is to tell about a use case now, read from the ledger and the lake and never from an event.

`models` reads the ledger and the monitor's table, `data` the deliveries and what was made of them, `failures` what a
task said when it failed for good.
"""
