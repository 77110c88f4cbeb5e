"""Which language of a fenced block goes with which kind of file."""

from __future__ import annotations

_ALIASES = {
    "py": "python",
    "python3": "python",
    "py3": "python",
    "sh": "shell",
    "bash": "shell",
    "zsh": "shell",
    "shellscript": "shell",
    "console": "session",
    "shell-session": "session",
    "shellsession": "session",
    "terminal": "session",
    "md": "markdown",
    "yml": "yaml",
    "jsonc": "json",
    "conf": "ini",
    "cfg": "ini",
    "txt": "text",
    "plaintext": "text",
    "plain": "text",
    "output": "text",
    "log": "text",
    "patch": "diff",
    "udiff": "diff",
    "js": "javascript",
    "sqlite": "sql",
    "postgresql": "sql",
    "dockerfile": "docker",
}

_SUFFIXES = {
    "python": (".py", ".pyi"),
    "shell": (".sh", ".bash", ".conf", ".env", ""),
    "session": (),
    "markdown": (".md",),
    "yaml": (".yaml", ".yml"),
    "json": (".json",),
    "ini": (".ini", ".conf", ".cfg", ".env", ".service"),
    "toml": (".toml",),
    "text": (".txt", ".md", ".log", ".conf", ".cfg"),
    "diff": (".diff", ".patch"),
    "javascript": (".js", ".mjs"),
    "sql": (".sql",),
    "xml": (".xml",),
    "html": (".html",),
    "css": (".css",),
    "docker": ("",),
    "makefile": (".mk", ""),
}

_FURTHER_SUFFIXES = (
    ".c",
    ".h",
    ".cc",
    ".cpp",
    ".hpp",
    ".go",
    ".rs",
    ".ts",
    ".java",
    ".rb",
    ".pl",
    ".lua",
    ".tsx",
    ".jsx",
)

FILE_SUFFIXES = frozenset(suffix for row in _SUFFIXES.values() for suffix in row if suffix) | {*_FURTHER_SUFFIXES}
"""Endings that make a word in prose a file name; `threading.Event` is none."""

_BY_SUFFIX = {suffix: language for language, row in reversed(_SUFFIXES.items()) for suffix in row if suffix}


def canonical(language: str) -> str:
    """Return one name for all spellings of a language; an empty string for none."""
    lowered = language.lower()
    return _ALIASES.get(lowered, lowered)


def suffix_of(path: str) -> str:
    """Return the ending of a path with its dot, in lower case; an empty string for none."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def language_of_path(path: str) -> str:
    """Return the language that the file's ending stands for, an empty string if it is not known."""
    return _BY_SUFFIX.get(suffix_of(path), "")


def fits(language: str, path: str) -> bool:
    """Say whether a block in this (canonical) language may be the file `path`."""
    suffix = suffix_of(path)
    if not language:
        return True
    if language in _SUFFIXES:
        return suffix in _SUFFIXES[language]
    return suffix not in _BY_SUFFIX
