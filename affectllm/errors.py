"""The exception hierarchy. Every message says what happened, where, and what to do about it.

AffectError
 ├── NotFound          a corpus, task, recipe, template or file that is not there
 │    └── MissingCorpus    no folder is known for a corpus
 ├── Malformed         a file of ours or theirs that cannot be read as what it claims to be
 │    └── BadRecipe        a recipe page with an unknown key, a wrong type or a forbidden value
 ├── Leakage           what is trained on is also scored on
 ├── LicenceRefused    a licence forbids what was asked for
 ├── ModalityUnheard   a model does not react to a modality it is said to take
 ├── WrongCheckpoint   weights that are of another architecture, do not fit, are broken or not finite
 ├── NotFinite         a loss, a gradient or a trained weight is NaN or infinite
 ├── NoGradient        a tower that is to be trained gets no gradient
 ├── EndpointFailed    a server that answers for a model refuses, breaks off or answers what is no reply
 │    └── BudgetSpent      the next request could exceed the limit that the user set
 ├── Busy              another process works in the folder
 └── WriteFailed       the disk said no
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AffectError(Exception):
    """Base class of our exceptions; the command line prints it without a traceback and exits with 2.

    Args:
        what: one sentence on what happened.
        where: ``file:line``, an id or a name; omitted when the sentence already says it.
        do: what the reader can do about it.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        self.what, self.where, self.do = what, where, do
        super().__init__(self.__str__())

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  → {self.do}" if self.do else head

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and loader workers send errors across processes.
        return _rebuild, (type(self), self.what, self.where, self.do)


def _rebuild(kind: type[AffectError], what: str, where: str, do: str) -> AffectError:
    return kind(what, where=where, do=do)


class NotFound(AffectError):
    """A name or file that is not there; the message lists the nearest names."""


class MissingCorpus(NotFound):
    """No folder is known for a corpus, or the folder lacks the files that make it one."""


class Malformed(AffectError):
    """A file cannot be read as what it claims to be."""


class BadRecipe(Malformed):
    """A recipe page holds an unknown key, a wrong type or a forbidden value."""


class Leakage(AffectError):
    """Training data and a task share clips, dialogues, texts or promised-disjoint speakers."""


class LicenceRefused(AffectError):
    """A licence forbids what was asked for."""


class ModalityUnheard(AffectError):
    """Removing or swapping a modality does not change the loss."""


class WrongCheckpoint(AffectError):
    """A checkpoint or an adapter is of another architecture, does not fit, is broken or holds what is not finite."""


class NotFinite(AffectError):
    """A loss, a gradient or a trained weight is NaN or infinite."""


class NoGradient(AffectError):
    """A tower that is to be trained gets no gradient from a batch that holds what it takes."""


class EndpointFailed(AffectError):
    """A server refuses a request, cannot be reached after all retries, or answers what is no reply of a model."""


class BudgetSpent(EndpointFailed):
    """The next request could exceed the limit of requests, tokens or money that the user set."""


class WriteFailed(AffectError):
    """The file system refused a write; nothing half-written is left under its final name."""


class Busy(AffectError):
    """Another process works in a folder; the message says which."""


_SPACE = "free some space, or choose another --out; the same command goes on"
_PLACE = "make the folder writable, or choose another --out"
# What a file system says when it refuses a write, and what can be done about it.
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _SPACE),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), _PLACE),
    **dict.fromkeys((errno.ENOTDIR, errno.EISDIR, errno.EEXIST), "another file is in the way; choose another --out"),
    **{errno.ELOOP: "a link is in the way; delete it, or choose another --out"},
    **{errno.ENAMETOOLONG: "choose a shorter --out", errno.EIO: "the disk may be failing; check it"},
}
# Libraries in C++ and Rust say it in words only.
_NO_SPACE = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT), os.strerror(errno.EFBIG))


def refusal(error: Exception) -> WriteFailed | None:
    """Convert an error of the file system into ``WriteFailed``; None for any other error."""
    if isinstance(error, OSError) and error.errno in _REMEDIES:
        where = str(error.filename or "")
        return WriteFailed(f"the file system refused: {error.strerror}", where=where, do=_REMEDIES[error.errno])
    if reason := next((words for words in _NO_SPACE if words in str(error)), None):
        return WriteFailed(f"could not write: {reason}", do=_SPACE)
    return None


@contextmanager
def told_at(where: str, kind: type[AffectError] = NotFound) -> Iterator[None]:
    """Give errors of ``kind`` that are raised within the place of what asked, such as a page's line with a name."""
    try:
        yield
    except kind as error:
        raise type(error)(error.what, where=where, do=error.do) from error


@contextmanager
def placed(where: str) -> Iterator[None]:
    """Add the place in the page that is to blame to errors that know none."""
    try:
        yield
    except AffectError as error:
        if error.where or not where:
            raise
        raise type(error)(error.what, where=where, do=error.do) from error


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Convert the operating system's errors on writing ``path``, or anything below it, into ``WriteFailed``."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "check the folder")
        raise WriteFailed(f"could not write: {error.strerror or error}", where=str(path), do=remedy) from error
