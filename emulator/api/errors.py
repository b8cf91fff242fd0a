"""What a workspace answers when it refuses, in its three body shapes."""

from typing import Any

SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class ApiError(Exception):
    """A refusal in the shape of API 2.x: `{"error_code", "message", "details"}`.

    `code` is the text of `error_code` (an int for the two token failures, as the real service has it).
    """

    def __init__(self, status: int, code: str | int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        return {"error_code": self.code, "message": self.message, "details": []}


class ScimError(ApiError):
    """A refusal in the shape of SCIM. `status` is a JSON string there; an int makes Go clients lose the 404."""

    def __init__(self, status: int, detail: str, scim_type: str | None = None) -> None:
        super().__init__(status, f"SCIM_{status}", detail)
        self.scim_type = scim_type

    def body(self) -> dict[str, Any]:
        body = {"schemas": [SCIM_ERROR], "detail": self.message, "status": str(self.status)}
        return body | ({"scimType": self.scim_type} if self.scim_type else {})


class LegacyError(ApiError):
    """A refusal in the shape of API 1.2: `{"error": text}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, "ERROR", message)

    def body(self) -> dict[str, Any]:
        return {"error": self.message}


def invalid(message: str) -> ApiError:
    """400 INVALID_PARAMETER_VALUE: the request itself is wrong."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def invalid_state(message: str) -> ApiError:
    """400 INVALID_STATE: right request, wrong moment. The provider retries it for 15 minutes."""
    return ApiError(400, "INVALID_STATE", message)


def missing(message: str) -> ApiError:
    """404 RESOURCE_DOES_NOT_EXIST."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def exists(message: str) -> ApiError:
    """400 RESOURCE_ALREADY_EXISTS."""
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", message)


def denied(message: str = "Only administrators can perform this operation.") -> ApiError:
    """403 PERMISSION_DENIED."""
    return ApiError(403, "PERMISSION_DENIED", message)


def not_implemented(method: str, path: str) -> ApiError:
    """501 NOT_IMPLEMENTED: an API that the emulator does not have.

    Not the platform's 404 for a path that does not exist: on a 404 the Terraform provider silently drops the resource
    from its state.
    """
    return ApiError(501, "NOT_IMPLEMENTED", f"The emulator has no API for '{method} {path}'")
