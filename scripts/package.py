"""Stage what belongs in the plugin and zip it, the same bytes for the same content.

``python3 scripts/package.py [--stage-only] [--root .] [--build build] [--dist dist]`` prints the
path that it made. Standard library only.
"""

from __future__ import annotations

import argparse
import configparser
import shutil
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "hyp3_stack"
CONTENT = (
    "__init__.py",
    "metadata.txt",
    "plugin.py",
    "processing_provider",
    "core",
    "icon.svg",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "requirements.txt",
    "requirements.lock",
)
# The documents as pages, where `make docs` has made them.
HELP = "help"
# Kinds of file that a folder of the plugin may bring along.
SUFFIXES = {".py", ".svg", ".qml", ".json", ".txt", ".html", ".typed", ".model3"}
HELP_SUFFIXES = {".html", ".css", ".js", ".svg", ".png"}
# The repository's limit.
MAX_BYTES = 25_000_000
# The earliest time that a zip can hold: no clock, no differing zips.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def plugin_files(root: Path) -> list[Path]:
    """Return the files of the plugin, relative to ``root``, sorted."""
    files: list[Path] = []
    for name in (*CONTENT, HELP):
        path = root / name
        if path.is_dir():
            suffixes = HELP_SUFFIXES if name == HELP else SUFFIXES
            files += [
                file.relative_to(root)
                for file in path.rglob("*")
                if file.is_file()
                and file.suffix in suffixes
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
            ]
        elif path.is_file():
            files.append(Path(name))
        elif name != HELP:
            raise SystemExit(f"{name} is missing, but the plugin needs it.")
    # __init__.py first: the repository takes the plugin's name from the first entry.
    return sorted(files, key=lambda file: (file.as_posix() != "__init__.py", file.as_posix()))


def stage(root: Path, build: Path) -> Path:
    """Copy the plugin to ``build/hyp3_stack``, replacing what an earlier run left there."""
    target = build / PACKAGE
    shutil.rmtree(target, ignore_errors=True)
    for file in plugin_files(root):
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, target / file)
        (target / file).chmod(0o644)
    return target


def version(root: Path) -> str:
    """Return the version that metadata.txt states."""
    parser = configparser.ConfigParser()
    parser.read(root / "metadata.txt", encoding="utf-8")
    return parser["general"]["version"]


def write_zip(staged: Path, dist: Path) -> Path:
    """Zip the staged plugin to ``dist/hyp3_stack-<version>.zip``."""
    dist.mkdir(parents=True, exist_ok=True)
    path = dist / f"{PACKAGE}-{version(staged)}.zip"
    path.unlink(missing_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file in plugin_files(staged):
            entry = zipfile.ZipInfo(f"{PACKAGE}/{file.as_posix()}", TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, so that the mode counts
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (staged / file).read_bytes(), compresslevel=9)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{path} has {size} bytes; the repository takes {MAX_BYTES}.")
    return path


def main(arguments: list[str]) -> None:
    """Stage, and zip unless told otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage-only", action="store_true")
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    options = parser.parse_args(arguments)
    staged = stage(options.root, options.build)
    print(staged if options.stage_only else write_zip(staged, options.dist))


if __name__ == "__main__":
    main(sys.argv[1:])
