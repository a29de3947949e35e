"""Takes this package to workers that have only the packages it depends on."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import importlib.util
import io
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from distributed import WorkerPlugin

_SUFFIXES = {".py", ".json", ".html", ".txt"}
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can hold: the same bytes for the same content."""


def package_plugin(content: bytes) -> WorkerPlugin:
    """Return a plugin that makes ``hyp3_stack`` importable in workers, also in later ones."""
    digest = hashlib.sha256(content).hexdigest()[:16]

    # Pickled by value, because it is not a member of this module, which workers do not have yet. So
    # it uses nothing else of the package.
    class PackagePlugin(WorkerPlugin):
        name = "hyp3_stack"

        async def setup(self, worker: Any) -> None:
            await asyncio.to_thread(self.install, Path(worker.local_directory))

        def install(self, place: Path) -> None:
            """Unpack the package beside the worker's own files, register it, import what works."""
            if getattr(sys.modules.get("hyp3_stack"), "digest", None) == digest:
                return
            folder = place / f"hyp3_stack-{digest}"
            if not folder.is_dir():
                unfinished = Path(tempfile.mkdtemp(dir=place))
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    archive.extractall(unfinished)
                unfinished.rename(folder)
            # Modules of another version may be left of an earlier build.
            for name in list(sys.modules):
                if name == "hyp3_stack" or name.startswith("hyp3_stack."):
                    del sys.modules[name]
            spec = importlib.util.spec_from_file_location(
                "hyp3_stack", folder / "__init__.py", submodule_search_locations=[str(folder)]
            )
            if spec is None or spec.loader is None:
                raise ImportError(f"{folder} does not hold the package hyp3_stack")
            package = importlib.util.module_from_spec(spec)
            sys.modules["hyp3_stack"] = package
            spec.loader.exec_module(package)
            # Before PROJ and GDAL are loaded, as in the core process.
            importlib.import_module("hyp3_stack.core.run.surroundings").drop_foreign_variables()
            # Takes seconds, in which the worker would not answer if it did so at the first task.
            importlib.import_module("hyp3_stack.core.work.cluster.work")
            package.digest = digest  # type: ignore[attr-defined]

    return PackagePlugin()


def zip_package(root: Path) -> bytes:
    """Return a zip of what runs on a worker: the core and the file that holds the version."""
    files = [root / "__init__.py", root / "metadata.txt"]
    files += [path for path in (root / "core").rglob("*") if path.suffix in _SUFFIXES]
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for path in sorted(files):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), _EARLIEST)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return memory.getvalue()
