"""From mature rows to a candidate.

Read in this order::

    candidate      the recipe: cut, select, tune, fit every family, calibrate, choose
    split fold     time-ordered windows of whole partitions, and older ones; what learners take of them
    sufficiency    is there enough, and of both kinds, in every window?
    selection      features nobody misses
    tuning trials  settings better than the declared ones; what was tried, kept
    weight         the column that says how much a row counts
    task           what to learn: the kind of label, weights of the rows, which way numbers may move
    fitted         what fitting a family gives
    boosted logistic ridge trivial
    design         what the linear families are fitted to, and their weights as terms
    monotone       linear weights that move only the way the spec allows
    calibrate      scores -> probabilities, as the kind of label asks for
    calibration_choice choice   the simplest that is as good as the best
    measure worth  metrics on the validation window; what a threshold is worth
    plots          pictures of the holdout
"""
