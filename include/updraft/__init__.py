"""Updraft keeps machine-learning models aloft on Apache Airflow; this package is the logic and never imports Airflow.

Read top-down, a module imports only what stands below it::

    cli                    what a person types
    demo passport          a year of real flights, and a model's life on them; one prediction, explained
    replay drill           what would other policies have done; does the monitor see a fault that is known?
    simulation             a world of known truth, to try the controller on
    life local             the stages as single calls; Airflow and MLflow on one machine
    retrain                should we train again?
    gauges health          where a use case stands, as numbers for a time series; how it has been doing, on a page
    monitor score          what was seen of a champion; what it says about a partition
    promote card alert     who is champion; what a model is, on a page; what people are told
    prediction             what a model says about rows
    alias rollout          MLflow's alias follows; who is scored beside the champion, and for how long
    grounds                on what grounds a candidate rises or is refused
    registry ledger        MLflow as a projection; the append-only, hash-chained record it follows
    receipt serving        who scored a partition, by what code, from what; a model as MLflow serves it
    operation              what the work on a partition took, and what that costs
    tracking records       MLflow's runs; what a decision is and what decisions add up to
    evidence train         verdicts on candidates, and how candidates come to be
    model                  a model is data: files, digests, a closed-set loader
    dataset                mature training sets
    features               features and labels from SQL, as of a moment
    arrivals               somebody says that a delivery is there: names, and whether it is so
    ingest                 deliveries: fetch, guard, stamp, publish, quarantine
    contract               what a delivery must satisfy
    sources                where it comes from and how it is read
    asof                   DuckDB over the lake, as of a moment
    query lake             what a query may say; the only module that knows paths, tables and object stores
    rows                   what rows are in memory, and the digest of what they hold
    partition              when
    spec                   what a team declared
    spool                  bytes and rows on their way: few in memory, many on disk
    settings               where things are kept
    errors                 Permanent (fail now) and Transient (retry)
"""
