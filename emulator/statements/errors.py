"""Why a statement fails: errors with the platform's classes and SQLSTATEs."""


class StatementError(Exception):
    """The statement fails; the text is what the caller reads."""


def failed(name: str, message: str, sqlstate: str) -> StatementError:
    """An error of this class, such as TABLE_OR_VIEW_NOT_FOUND."""
    return StatementError(f"[{name}] {message} SQLSTATE: {sqlstate}")


def unsupported(what: str) -> StatementError:
    """An error for what the platform does and the emulator does not."""
    return StatementError(
        f"[NOT_IMPLEMENTED] The emulator does not carry out {what}; docs/emulator.md lists what it does."
    )


def table_not_found(full_name: str) -> StatementError:
    quoted = ".".join(f"`{part}`" for part in full_name.split("."))
    text = f"The table or view {quoted} cannot be found. Verify the spelling and correctness of the schema and catalog."
    return failed("TABLE_OR_VIEW_NOT_FOUND", text, "42P01")


def schema_not_found(full_name: str) -> StatementError:
    quoted = ".".join(f"`{part}`" for part in full_name.split("."))
    text = f"The schema {quoted} cannot be found. Verify the spelling and correctness of the schema and catalog."
    return failed("SCHEMA_NOT_FOUND", text, "42704")


def already_exists(kind: str, full_name: str) -> StatementError:
    quoted = ".".join(f"`{part}`" for part in full_name.split("."))
    name = "TABLE_OR_VIEW_ALREADY_EXISTS" if kind == "table" else "SCHEMA_ALREADY_EXISTS"
    state = "42P07" if kind == "table" else "42P06"
    return failed(name, f"Cannot create {kind} {quoted} because it already exists. Choose a different name.", state)


def insufficient(message: str) -> StatementError:
    """`message` names the missing privilege and the securable."""
    return failed("INSUFFICIENT_PERMISSIONS", f"Insufficient privileges:\n{message}", "42501")
