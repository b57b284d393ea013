"""From mature rows to a candidate.

Read in this order::

    candidate      the recipe: cut, select, tune, fit every family, calibrate, choose
    split fold     time-ordered windows of whole partitions, and older ones; what learners take of them
    sufficiency    is there enough, and of both kinds, in every window?
    selection      features nobody misses
    tuning trials  settings better than the declared ones; what was tried, kept
    fitted         what fitting a family gives
    boosted logistic trivial
    calibration_choice choice   the simplest that is as good as the best
    measure worth  metrics on the validation window; what a threshold is worth
    plots          pictures of the holdout
"""
