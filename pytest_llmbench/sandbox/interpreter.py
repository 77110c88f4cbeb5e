"""The interpreter that untrusted code gets: the real one behind the virtual environment, without any site-packages."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

_PARTS = ("bin", "lib", "lib64", "share")
"""Of a prefix that is the interpreter's own; the rest (include, envs, pkgs, …) is of no use inside."""

SYSTEM_FOLDERS = tuple(
    Path("/usr") / name for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec", "share")
)
"""What is bound of /usr: not src, games or local, where people keep their own."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter as it lies on the host; inside it lies at the same place."""

    executable: Path
    folders: tuple[Path, ...]
    """To be bound besides the system's."""
    masks: tuple[Path, ...]
    """Folders below `folders` or the system's that are to be empty inside."""


def find_interpreter() -> Interpreter:
    """Return the interpreter that runs us, looked at through virtual environments, shims and links."""
    executable = Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
    prefix = Path(os.path.realpath(sys.base_prefix))
    own = () if prefix == Path("/usr") else tuple(prefix / part for part in _PARTS if (prefix / part).is_dir())
    folders = tuple(folder for folder in own if not any(folder.is_relative_to(bound) for bound in SYSTEM_FOLDERS))
    roots = {prefix, Path("/usr")}
    if not any(executable.is_relative_to(folder) for folder in (*folders, *SYSTEM_FOLDERS)):
        folders = (*folders, executable)
    masks = sorted({mask for root in roots for mask in _package_folders(root)})
    seen = (*folders, *SYSTEM_FOLDERS)
    return Interpreter(
        executable, folders, tuple(mask for mask in masks if any(mask.is_relative_to(folder) for folder in seen))
    )


def _package_folders(root: Path) -> set[Path]:
    patterns = ("lib*/python*/site-packages", "lib*/python*/dist-packages", "share/python-wheels")
    return {found for pattern in patterns for found in root.glob(pattern) if found.is_dir() and not found.is_symlink()}


def hidden_folders(interpreter: Interpreter) -> tuple[Path, ...]:
    """Return the grader's own folders (package, virtual environment, checkout) that lie in something that is bound."""
    bound = (*interpreter.folders, *SYSTEM_FOLDERS)
    needed = (interpreter.executable, Path(os.path.realpath(os.__file__)))
    own = [Path(__file__).parents[2], *_working_folder()]
    if sys.prefix != sys.base_prefix:
        own.append(Path(sys.prefix))
    found: list[Path] = []
    for folder in map(Path, map(os.path.realpath, own)):
        inside = any(folder != place and folder.is_relative_to(place) for place in bound)
        masked = any(folder.is_relative_to(mask) for mask in (*interpreter.masks, *found))
        if inside and not masked and not any(path.is_relative_to(folder) for path in needed):
            found.append(folder)
    return tuple(found)


def _working_folder() -> list[Path]:
    try:
        return [Path.cwd()]
    except FileNotFoundError:
        return []  # it was removed under us


def unreadable_folder(interpreter: Interpreter) -> str | None:
    """Return the interpreter's folder if others than its owner cannot read it."""
    everybody = stat.S_IROTH | stat.S_IXOTH
    places = (interpreter.executable, *interpreter.folders, Path(os.__file__).parent)
    lacking = any(place.stat().st_mode & everybody != everybody for place in places)
    return str(interpreter.executable.parent.parent) if lacking else None
