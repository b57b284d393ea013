"""What a person types: `updraft check | run | status | rollback | demo | stop`."""
