"""Imported last into the process that tasks are forked from; takes what it holds out of the garbage collector's sight.

Half a million objects of the preloaded libraries live as long as the process. Without this, the first full collection
in every task walks all of them, which costs more processor time than most tasks need, and copies their pages.
"""

import gc

gc.collect()
gc.freeze()
