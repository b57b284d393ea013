"""From mature rows to a candidate.

Read in this order::

    candidate      the recipe: split, check, fit every family, calibrate, choose
    split          time-ordered windows of whole partitions
    sufficiency    is there enough, and of both kinds, in every window?
    fitted         what fitting a family gives
    boosted logistic trivial
    measure        metrics on the validation window
    plots          pictures of the holdout
"""
