"""Formats sizes and durations for people. Pure."""


def format_size(number: int) -> str:
    """Format bytes: `0 B`, `1.5 kB`, `12.0 GB`; a kB has 1,024 bytes, as in the results."""
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1024:
            return f"{number} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"


def format_duration(seconds: float) -> str:
    """Format seconds: `42 s`, `3 min`, `2 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
