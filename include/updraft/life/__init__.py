"""The stages of a model's life, each one call; Airflow's operators and the command line make the same ones.

`features`   what was known -> features; what late rows would have changed, kept or rebuilt
`train`      mature data, but for what looks broken -> candidate -> evidence
`shown`      a training's pictures, and its run in the registry
`promotion`  evidence -> promoted or rejected
`rollout`    live evidence -> a challenger promoted or withdrawn, a champion on probation kept or left
`question`   what a person is asked before a candidate may rise
`audit`      whether the ledger is whole
`monitor`    scores and matured labels -> measurements -> incident
`incidents`  what lasts, opened and resolved on record
`retrain`    what was seen -> one decision
`sweep`      holes in the sequence of partitions, and what fills them
`run`        all stages in order, without Airflow
"""
