"""MLflow: details of experiments, and the workspace's registry of models. Plain data."""

from dataclasses import dataclass, field
from typing import Any

from emulator.base.clock import Millis

REGISTRY_ACL = "/registered-models/root"
"""The name of the registry in access control lists; models inherit from it."""


@dataclass(kw_only=True)
class RegisteredModel:
    """A model in the workspace's registry. In Unity Catalog, models are securables of the type FUNCTION."""

    id: str
    name: str
    creator: str
    """User name or application id."""
    created_at: Millis
    updated_at: Millis
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def acl_name(self) -> str:
        """The name of the object in access control lists."""
        return f"/registered-models/{self.id}"


@dataclass(kw_only=True)
class ExperimentDetails:
    artifact_location: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Mlflow:
    experiments: dict[int, ExperimentDetails] = field(default_factory=dict)
    """Details by the id of the object; experiments that the API did not create have none."""
    deleted: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Deleted experiments as in the API, by id."""
    models: dict[str, RegisteredModel] = field(default_factory=dict)
    """Models by name."""

    def find_model(self, id: str) -> RegisteredModel | None:
        return next((model for model in self.models.values() if model.id == id), None)
