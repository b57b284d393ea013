"""From mature rows to a candidate.

Read in this order::

    candidate      the recipe: split, check, fit every family, calibrate, choose
    split          time-ordered windows of whole partitions
    sufficiency    is there enough, and of both kinds, in every window?
    task           what to learn: the kind of label, weights of the rows, which way numbers may move
    fitted         what fitting a family gives
    boosted logistic ridge trivial
    design         what the linear families are fitted to, and their weights as terms
    monotone       linear weights that move only the way the spec allows
    calibrate      scores -> probabilities, as the kind of label asks for
    measure        metrics on the validation window
    plots          pictures of the holdout
"""
