"""What is seen of a champion at work: facts of one partition, and what they add up to.

Read top-down; every module is pure (no lake, no ledger, no clock)::

    watch          one look at a partition -> measurements -> alarm
    incident       alarms of k among n partitions -> incident, the one thing that asks for an action
    harmless       whether what drifted does harm, as labels show
    faulty         partitions that no training should learn from
    fault          for how long a broken feed stands in the way
    measures/      one kind of measurement each, found by discovery
    window         what one look has before it
    table          measurements as rows of `monitor/<use case>`
    truth          rows that came true, and whether they can be judged
    parts          slices that mean the same in every window
    performance    what came true: AUC, Brier score, log loss on matured labels
    weighing       labels that arrived, weighed for those that did not
    arrival        when labels arrive, and whether it depends on what they say
    estimation     what to expect before labels come; estimation_record: how far that was off
    recalibrated   what probabilities are worth by now; residuals: how wrong numbers are by now
    watched        a metric held against the holdout
    reference      what the champion's training rows looked like, kept as counts
    conduct        how the champion behaved on its holdout: shares, mean reasons, slices
    supply         what a source delivered for a partition, in counts
    score_distance how far the scores moved as a whole
    level          a number over partitions, and how far chance moves it
    importance     how much each feature counts in what the champion says
    told_apart     can a classifier tell the window from the reference?
    feed           what looks like a fault of the feed rather than of the world
    looks          many looks judged together: large enough to matter, and too large to be chance
    season         which partitions of the reference a window may be compared with
    noise          how far windows of the reference lie apart when nothing moved
    distance       how far two sides are apart, as effect sizes
    drift          how far a column moved, and how far it moves by chance, row by row
    histogram      rows per cell of one column
"""
