"""Thin adapters between Airflow and `updraft`: the only code that knows Airflow.

=============  ======================================================================
`declared`     use cases -> DAGs, one broken spec breaking only its own
`conventions`  what all DAGs have in common: owner, tags, retries, timeouts, docs
`partitions`   which partitions a run is for
`assets`       the names under which stages announce what they wrote
`deadlines`    what is said when a delivery does not come
`outcomes`     Permanent fails at once, Transient is retried
`hooks`        connections -> lake, registry
`operators`    one file per stage; they carry, they do not think
`sensors`      what a run waits for; `triggers`, the same without a worker
=============  ======================================================================
"""
