"""Run, RunWriter, Following, load_run: the run directory, and the only folder of code that knows its format.

A run directory holds
  run.json                     what the run is (configuration, seed, versions, device ...), replaced atomically
  tables/NAME.NNNN.arrow       per-step tables, Arrow IPC streams: one table for each cadence, one segment for each start of a
                               process or change of columns, one record batch for each flush; scalars are columns, vectors
                               (per-layer values, histograms) are fixed-size lists whose labels stand in the schema
  KIND.jsonl                   low-rate records (evaluations, events, alerts), one JSON line each
  samples/KIND-STEP.npz        small batches of samples
  checkpoints/                 written by training/checkpoint.py

Null is "not measured at this step"; NaN is "measured, and it was NaN". A torn tail is dropped, what stands before it is kept.
"""

from gandiag.run.following import Following
from gandiag.run.reading import Run, load_run
from gandiag.run.writing import RunWriter

__all__ = ["Following", "Run", "RunWriter", "load_run"]
