"""A model is data, never code: small files of text, named with their digests in a manifest.

Read in this order::

    model          what everybody holds: predictions, reasons, and the manifest behind them
    manifest       what the model is, was trained on and demands; its SHA-256 is the model's name
    encoder        feature rows -> one float64 matrix, categories frozen as they were in training
    labels         what a label holds, by kind of problem
    learner        what the families have in common
    boosted linear constant
    calibration    raw log-odds -> probabilities (Platt)
    softmax as_is  the same for several classes; a number stays as it is
    golden         a few rows whose predictions a loaded model must reproduce
    store          save and load, digests before parsers
"""

from updraft.model.model import Model

__all__ = ["Model"]
