"""Errors in the format of Azure Communication Services: `{"error": {"code", "message"}}`."""

from typing import Any

from emulator.api.errors import ApiError

CODES = {
    400: "BadRequest",
    401: "Denied",
    404: "NotFound",
    413: "RequestEntityTooLarge",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


class MailError(ApiError):
    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        code = CODES[status]
        super().__init__(status, code, message, {"x-ms-error-code": code, **(headers or {})})

    def body(self) -> dict[str, Any]:
        return {"error": {"code": self.code, "message": self.message}}
