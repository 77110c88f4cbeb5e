"""The straight line from an answer to the candidate's files: generous with form, strict with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_llmbench.answers.changes import Change, match_change, read_changes
from pytest_llmbench.answers.diffs import PatchError
from pytest_llmbench.answers.forms import read_pieces
from pytest_llmbench.answers.fragments import Grade, Wholeness, elisions, grade
from pytest_llmbench.answers.matching import match
from pytest_llmbench.answers.names import refusal, resolve
from pytest_llmbench.answers.pieces import Kind, Page, Piece
from pytest_llmbench.answers.shapes import Shape
from pytest_llmbench.errors import AnswerFault

MAX_FILES = 64
MAX_FILE_BYTES = 1024 * 1024
MAX_CHANGES = 1_000
MAX_CHANGE_CHARS = 20_000_000
"""Bound of the work for one file: the lengths of its text before each change, summed."""
_SHOWN = 8
_SHOWN_CHARS = 80


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an answer returned."""

    files: dict[str, str]
    """Path -> text: the program with the answer's files laid over it."""
    returned: tuple[str, ...]
    """Paths that the answer returned or changed, in the order of the answer."""
    refused: tuple[str, ...] = ()
    """What was not taken, each with its reason, on one printable line."""


@dataclass(slots=True)
class _Found:
    """All that an answer holds about one path."""

    pieces: list[Piece] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def extract_files(answer: str, program: Mapping[str, str], wanted: Sequence[str]) -> Extraction:
    """Return the program with the files of an answer laid over it.

    Args:
        answer: the text without its reasoning.
        program: path -> text of the files that the model was given.
        wanted: paths that the answer must or may return.

    Raises:
        AnswerFault: no file at all, only refused ones, only fragments, or a change that does not apply.
    """
    page = Page.of(answer.replace("\r\n", "\n"), frozenset(program) | frozenset(wanted))
    pieces = read_pieces(page)
    refused: list[str] = []
    found = _by_path(pieces, program, wanted, refused)
    files = dict(program)
    returned: list[str] = []
    for path, about in found.items():
        text = _text_of(path, about, program, refused)
        deleted = text is None and any(change.deletes for change in about.changes)
        reason = _unfit(path, text, files, returned) if text is not None else None
        if reason is not None:
            refused.append(_refusal(path, reason))
        elif text is not None:
            files[path] = text
            returned.append(path)
        elif deleted and files.pop(path, None) is not None:
            returned.append(path)
    if not returned:
        raise AnswerFault(_nothing(page, wanted or tuple(program), refused))
    return Extraction(files, tuple(returned), tuple(dict.fromkeys(refused)))


def _by_path(
    pieces: Sequence[Piece], program: Mapping[str, str], wanted: Sequence[str], refused: list[str]
) -> dict[str, _Found]:
    """Sort the pieces by the file that they mean; hostile names end in `refused`."""
    known = {*program, *wanted}
    targets = {path: Shape.of(program[path], path) if path in program else None for path in (*program, *wanted)}
    parts: list[Piece | Change] = []
    for piece in pieces:
        parts += [piece] if piece.kind is Kind.FILE else read_changes(piece, known)
    safe = set()
    for label in dict.fromkeys(part.label for part in parts if part.label is not None):
        reason = refusal(resolve([label], ())[label])
        if reason is None:
            safe.add(label)
        else:
            refused.append(_refusal(label, reason))
    if sum(isinstance(part, Change) for part in parts) > MAX_CHANGES:
        raise AnswerFault(f"the answer holds more than {MAX_CHANGES} changes; wanted: whole files, or fewer changes")
    meant = resolve(safe, known)
    found: dict[str, _Found] = {}
    for part in parts:
        if part.label is not None:
            path = meant.get(part.label)
        elif isinstance(part, Piece):
            path = match(part.text, part.language, targets)
        else:
            path = match_change(part, program)
        if path is None:
            continue
        about = found.setdefault(path, _Found())
        if isinstance(part, Piece):
            about.pieces.append(part)
        else:
            about.changes.append(part)
    return found


def _text_of(path: str, about: _Found, program: Mapping[str, str], refused: list[str]) -> str | None:
    """Return the file as the answer leaves it; None if it returns no whole one, or deletes it.

    Raises:
        AnswerFault: a change does not apply.
    """
    piece, reason = _best(path, about.pieces, program.get(path))
    text = piece.text if piece is not None else program.get(path)
    changes = [change for change in about.changes if piece is None or change.at > piece.first]
    if piece is None and not changes:
        refused.append(_refusal(path, f"only a fragment: {reason}"))
        return None
    work = 0
    for change in changes:
        work += len(text or "")
        if work > MAX_CHANGE_CHARS:
            raise AnswerFault(f"the answer makes {len(changes)} changes of {path!a}, too many for a file of its size")
        if change.deletes:
            text = None
            continue
        if text is None and not change.creates:
            raise AnswerFault(f"the answer changes {path!a}, which is not in the program: {_listed(program)}")
        if piece is not None and change.is_applied(text or ""):
            continue
        try:
            text = change.apply(text or "")
        except PatchError as error:
            if piece is None:
                raise AnswerFault(f"the answer's change of {path!a} does not apply: {error}") from error
            refused.append(_refusal(path, f"a change after the whole file does not apply: {error}"))
    return text


def _best(path: str, pieces: Sequence[Piece], original: str | None) -> tuple[Piece | None, str]:
    """Return the last whole piece, and why there is none.

    One that only repeats the original is taken last.
    """
    model = original
    if model is None and len(pieces) > 1:
        model = max((piece.text for piece in pieces), key=len)
    shape = Shape.of(model, path) if model is not None else None
    marks = frozenset(elisions(original, path)) if original is not None else frozenset()
    best: tuple[tuple[bool, Wholeness], Piece] | None = None
    reason = ""
    for piece in reversed(pieces):
        graded: Grade = grade(piece.text, path, shape, sure=piece.sure, known_marks=marks)
        if graded.wholeness is Wholeness.FRAGMENT:
            reason = reason or graded.reason
            continue
        rank = (original is None or piece.text.strip() != original.strip(), graded.wholeness)
        if best is None or rank > best[0]:
            best = (rank, piece)
        if rank == (True, Wholeness.WHOLE):
            break
    return (best[1] if best is not None else None), reason


def _unfit(path: str, text: str, files: Mapping[str, str], returned: Sequence[str]) -> str | None:
    """Return why a file of a safe name is not taken."""
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        return "it holds half a surrogate pair and cannot be written as UTF-8"
    if size_bytes > MAX_FILE_BYTES:
        return f"{size_bytes} bytes, at most {MAX_FILE_BYTES} are taken"
    if len(returned) >= MAX_FILES:
        return f"more than {MAX_FILES} files"
    if any(other.startswith(path + "/") or path.startswith(other + "/") for other in files):
        return "a file and a directory of the same name"
    return None


def _refusal(path: str, reason: str) -> str:
    shown = path if len(path) <= _SHOWN_CHARS else path[:_SHOWN_CHARS] + "..."
    return f"{shown!a}: {reason}"


def _nothing(page: Page, wanted: Sequence[str], refused: Sequence[str]) -> str:
    languages = [block.info.split(" ", 1)[0][:20] or "no language" for block in page.blocks]
    blocks = f"{len(languages)} fenced code blocks ({_listed(languages)})" if languages else "no fenced code block"
    message = f"the answer returns no file; wanted: {_listed(wanted)}; found: {blocks}"
    if refused:
        message += f"; refused: {'; '.join(refused[:_SHOWN])}"
    return message + "; a file is taken from a fenced block with its path in the line that opens it"


def _listed(names: Sequence[str] | Mapping[str, str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(f"{name!a}" for name in unique[:_SHOWN]) + (", …" if len(unique) > _SHOWN else "")
