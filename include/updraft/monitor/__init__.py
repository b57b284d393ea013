"""What is seen of a champion at work: facts of one partition, and what they add up to.

Read top-down; every module is pure (no lake, no ledger, no clock)::

    watch          one look at a partition -> measurements -> alarm
    incident       alarms of k among n partitions -> incident, the one thing that asks for an action
    fault          for how long a broken feed stands in the way
    measures/      one kind of measurement each, found by discovery
    window         what one look has before it
    table          measurements as rows of `monitor/<use case>`
    performance    what came true: AUC, Brier score, log loss on matured labels
    reference      what the champion's training rows looked like, kept as counts
    drift          how far a column moved, and how far it moves by chance
    histogram      rows per cell of one column
"""
