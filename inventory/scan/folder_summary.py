"""What lies directly in one folder, summed up: what a checkpoint keeps of a listing, and what travels. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from inventory.results import summary
from inventory.results.rows import Tally
from inventory.scan.listing import File, Listing, Source


@dataclass(frozen=True, slots=True)
class Counted:
    """A folder's answer without its single files."""

    folders: tuple[str, ...] = ()
    """Paths."""
    files: int = 0
    size: int = 0
    """Bytes, estimates included."""
    estimated: int = 0
    """Files whose size is an estimate there."""
    exact: int | None = 0
    """Bytes without any estimate; None where one of the sizes is not known."""
    largest_path: str | None = None
    largest_size: int | None = None
    last_modified: int | None = None
    """Milliseconds since 1970, UTC."""
    kinds: Tally = field(default_factory=dict)
    months: Tally = field(default_factory=dict)


def count(source: Source, listing: Listing) -> Counted:
    """The sums over what lies directly in a folder of this file system."""
    files = listing.files
    largest = max(
        (file for file in files if file.size is not None), key=lambda file: (file.size, file.path), default=None
    )
    return Counted(
        folders=listing.folders,
        files=len(files),
        size=sum(file.counted_size for file in files),
        estimated=sum(file.size is None for file in files),
        exact=_exact(files),
        largest_path=f"{'dbfs:' if source == 'dbfs' else ''}{largest.path}" if largest else None,
        largest_size=largest.size if largest else None,
        last_modified=max((file.modified_at for file in files if file.modified_at is not None), default=None),
        kinds=summary.kinds(files),
        months=summary.months(files),
    )


def _exact(files: Sequence[File]) -> int | None:
    sizes = [file.exact_size for file in files]
    return sum(size for size in sizes if size is not None) if None not in sizes else None
