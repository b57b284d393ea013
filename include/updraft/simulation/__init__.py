"""Does the controller do what it should? A world whose truth is known, lived through once per policy.

Read top-down; nothing here reads a lake, a ledger or a clock, and a seed decides everything::

    summary       lives of many seeds -> a line per scenario and policy, with intervals
    chart         and as a picture
    life          one policy in one world: score, watch, decide, train, gate, replace
    policy        when to train: the controller, and what people do without one
    look          what the controller may know on a day, and what it measures
    champion      a model as it lives: trained, measured, profiled, and its scores
    world         rows, labels and when they arrive; what any score is worth under the truth
    scenario      what happens in a year, and whether a training could mend it
    study         the use case that is simulated
"""
