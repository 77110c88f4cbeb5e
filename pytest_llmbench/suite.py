"""A suite as it lies on disk: `suite.yaml`, `prompt.md`, `program/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pytest_llmbench.errors import GraderError

PROGRAM_MARK = "{{program}}"
_FENCE_LANGUAGES = {".py": "python", ".sh": "bash", ".sql": "sql", ".json": "json", ".yaml": "yaml", ".conf": "ini"}


@dataclass(frozen=True, slots=True)
class Suite:
    """One task: what the model is told, and what it is given."""

    name: str
    folder: Path
    title: str
    difficulty: str
    prompt: str
    """Exactly what is sent, the program's files included."""
    program: Mapping[str, str] = field(default_factory=dict)
    """Relative path -> text of the files that the model is given."""
    wanted: tuple[str, ...] = ()
    """Files that an answer must or may return: those of the program and those that `suite.yaml` adds under `files`."""
    needs: tuple[str, ...] = ()
    """Programs besides a plain Debian's that a candidate must find in the sandbox, such as `jq`."""


def load_suite(folder: Path) -> Suite:
    """Read the suite in `folder`; its name is the folder's.

    Raises:
        GraderError: a file is missing or malformed; the message names it.
    """
    try:
        about = yaml.safe_load((folder / "suite.yaml").read_text("utf-8"))
        letter = (folder / "prompt.md").read_text("utf-8")
        program = _read_program(folder / "program")
        return Suite(
            name=folder.name,
            folder=folder,
            title=about["title"],
            difficulty=about["difficulty"],
            prompt=letter.replace(PROGRAM_MARK, _fenced(program)),
            program=program,
            wanted=(*program, *about.get("files", ())),
            needs=tuple(about.get("needs", ())),
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise GraderError(f"suite {folder}: {type(error).__name__}: {error}") from error


def _read_program(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def _fenced(program: Mapping[str, str]) -> str:
    blocks = (f"```{_FENCE_LANGUAGES.get(Path(name).suffix, '')} {name}\n{text}```\n" for name, text in program.items())
    return "\n".join(blocks)
