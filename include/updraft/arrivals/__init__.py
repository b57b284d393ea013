"""Arrivals: somebody says that a delivery is there. What is said is a hint, and carries names alone.

A message in a queue or a file in the inbox becomes the names of a use case, a source and a partition, each of which the
spec knows, or it is dropped with a reason. Whether there is anything to do is then read from the source and the lake:
a message that is doubled, lost, late or a lie costs time, and changes nothing else.

`message` and `named` read what strangers wrote, `queue` and `inbox` listen, `ready` looks what is true of it.
"""
