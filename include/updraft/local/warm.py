"""Imported last into the process that tasks are forked from: makes what most tasks need, and freezes what it holds.

Great Expectations' context starts no thread and holds no connection, so tasks may inherit it; a test looks. What is
held is taken out of the garbage collector's sight: half a million objects of the preloaded libraries live as long as
the process, and without this the first full collection in every task walks all of them, which costs more processor
time than most tasks need, and copies their pages.
"""

import gc

from updraft.contract import engine
from updraft.monitor import measures

engine.frames()
measures.discover()
gc.collect()
gc.freeze()
