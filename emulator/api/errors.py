"""Workspace errors, in three body formats."""

from typing import Any

SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class ApiError(Exception):
    """An error in the format of API 2.x: `{"error_code", "message", "details"}`.

    `code` is the value of `error_code`: a string, or an int for the two token errors, as in the real service.
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
    """An error in SCIM's format. `status` is a JSON string; if it were a number, Go clients would not recognise a
    404."""

    def __init__(self, status: int, detail: str, scim_type: str | None = None) -> None:
        super().__init__(status, f"SCIM_{status}", detail)
        self.scim_type = scim_type

    def body(self) -> dict[str, Any]:
        body = {"schemas": [SCIM_ERROR], "detail": self.message, "status": str(self.status)}
        return body | ({"scimType": self.scim_type} if self.scim_type else {})


class LegacyError(ApiError):
    """An error in the format of API 1.2: `{"error": text}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, "ERROR", message)

    def body(self) -> dict[str, Any]:
        return {"error": self.message}


def invalid(message: str) -> ApiError:
    """Return 400 INVALID_PARAMETER_VALUE: the request itself is invalid."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def invalid_state(message: str) -> ApiError:
    """Return 400 INVALID_STATE: not allowed in the current state. The provider retries for 15 minutes."""
    return ApiError(400, "INVALID_STATE", message)


def missing(message: str) -> ApiError:
    """Return 404 RESOURCE_DOES_NOT_EXIST."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def exists(message: str) -> ApiError:
    """Return 400 RESOURCE_ALREADY_EXISTS."""
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", message)


def denied(message: str = "Only administrators can perform this operation.") -> ApiError:
    """Return 403 PERMISSION_DENIED."""
    return ApiError(403, "PERMISSION_DENIED", message)


def not_implemented(method: str, path: str) -> ApiError:
    """Return 501 NOT_IMPLEMENTED for an API that the emulator does not have.

    The platform returns 404 for an unknown path. In the emulator a 404 would hide a gap, because the Terraform provider
    silently drops the resource from its state.
    """
    return ApiError(501, "NOT_IMPLEMENTED", f"The emulator has no API for '{method} {path}'")
