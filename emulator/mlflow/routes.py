"""HTTP handlers of MLflow."""

from emulator.mlflow import experiments, registered_models

routes = [*experiments.routes, *registered_models.routes]
