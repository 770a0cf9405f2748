"""Integrations: a Lightning callback, and mirrors that carry what was recorded on to other people's trackers."""

from gandiag.integrations.lightning import lightning_callback
from gandiag.integrations.mirrors import Alert, Histogram, Mirror, Sink, to_mlflow, to_tensorboard, to_tracker

__all__ = ["Alert", "Histogram", "Mirror", "Sink", "lightning_callback", "to_mlflow", "to_tensorboard", "to_tracker"]
