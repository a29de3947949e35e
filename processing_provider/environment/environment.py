"""Makes the core environment: a virtual environment with exactly the packages of the lock file.

Needs the standard library only, so that it is tested without QGIS.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...core.contract import Task, with_login, without_logins
from ...core.run.surroundings import without_secrets
from ..process.child_process import ChildProcess, current_environment
from ..process.core_process import CoreCanceledError, CoreError, Feedback, run_core
from .interpreter import MARKER, Places, environment_python, lock_digest

NEEDED_BYTES = 2_000_000_000
"""Free space that a set-up needs: packages, what they are unpacked from, and a margin."""

_SHOWN_LINES = 100

_DISCARDED = ".discarded"
_DISCARD_SECONDS = 0.5

_VENV_SHARE = 5.0
_PIP_SHARE = 90.0

# Reads variables from standard input, because those that a program is started with can be seen from
# outside, and a proxy's may hold its password.
_PIP = (
    "import json, os, runpy, sys; os.environ.update(json.loads(sys.stdin.readline())); "
    "sys.argv[0] = 'pip'; runpy.run_module('pip', run_name='__main__', alter_sys=True)"
)

_PIP_REASONS = (
    (
        ("No space left on device", "Errno 28", "not enough space"),
        "The disk with the QGIS profile is full; free about 2 GB and run hyp3:setupenvironment "
        "again.",
    ),
    (
        ("DO NOT MATCH THE HASHES",),
        "A package differs from what the lock file says, so it was not installed; check whether a "
        "proxy or a package mirror alters downloads.",
    ),
    (
        ("dependencies for SOCKS support",),
        "Packages cannot be installed through {proxy}, because pip does not support SOCKS proxies; "
        "set an HTTP proxy in QGIS's options (Settings > Options > Network).",
    ),
    (
        ("Please check proxy URL",),
        "{Proxy} has an address that pip cannot read; write it like http://proxy:8080, in QGIS's "
        "options (Settings > Options > Network) or in HTTPS_PROXY.",
    ),
    (
        ("407 Proxy Authentication", "HTTP error 407"),
        "{Proxy} does not accept the user name and password for it, or got none (HTTP 407); "
        "correct them in QGIS's options (Settings > Options > Network), or in HTTPS_PROXY where "
        "that names it.",
    ),
    (
        ("Tunnel connection failed",),
        "{Proxy} does not connect to the package index; ask whoever runs it to let pypi.org and "
        "files.pythonhosted.org through, or set another index in pip's configuration.",
    ),
    (
        ("ProxyError", "Cannot connect to proxy"),
        "{Proxy} cannot be reached; correct its address in QGIS's options (Settings > Options > "
        "Network), or in HTTPS_PROXY where that names it.",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED",),
        "The certificate of the package index is not trusted; if a proxy replaces certificates, "
        "set PIP_CERT to the file with its own one.",
    ),
    (
        ("401 Error", "HTTP error 401", "HTTP error 403"),
        "The package index refuses access; check its address and credentials in pip's "
        "configuration, or ask whoever runs it.",
    ),
    (
        (
            "NewConnectionError",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "Max retries exceeded",
            "Temporary failure in name resolution",
            "Connection refused",
            "Could not fetch URL",
        ),
        "The package index cannot be reached; check the network, or the proxy in QGIS's options "
        "(Settings > Options > Network), and run hyp3:setupenvironment again.",
    ),
    (
        ("No matching distribution found",),
        "A package is not available for this Python and platform, or not on the index that pip's "
        "configuration names; choose another Python 3.11 to 3.14 as PYTHON, or another index.",
    ),
)


class SetupError(CoreError):
    """The environment could not be made; the message is one sentence for the user."""


class EnvironmentBuilder:
    """Makes the managed environment beside an existing one and swaps them at the end.

    ``proxies`` are addresses by scheme and ``login`` their user name and password, as network.py
    gives them. A virtual environment may be renamed as long as its interpreter is called directly;
    only its console scripts know their old path, and nothing uses those.
    """

    def __init__(
        self,
        places: Places,
        feedback: Feedback,
        proxies: Mapping[str, str] | None = None,
        login: Mapping[str, str] | None = None,
    ) -> None:
        self._places = places
        self._feedback = feedback
        self._environ = without_secrets(current_environment())
        self._proxies = _proxy_variables(self._environ, proxies or {}, login or {})

    def build(self, base: str) -> str:
        """Make the environment from the Python ``base`` and return its interpreter.

        Raises SetupError or CoreCanceledError; what existed before is then untouched.
        """
        new = self._places.unfinished
        try:
            self._prepare(new)
            self._feedback.pushInfo(f"Making a virtual environment with {base}.")
            self._run([base, "-m", "venv", str(new)], _venv_reason)
            self._feedback.setProgress(_VENV_SHARE)
            python = str(environment_python(new, sys.platform))
            self._install(python)
            self._feedback.pushInfo("Checking the packages.")
            versions = run_core(python, Task.CHECK, {}, _Quiet(self._feedback))["PACKAGES"]
            listed = ", ".join(f"{name} {number}" for name, number in versions.items())
            self._feedback.pushInfo(f"Installed: {listed}.")
            marker = new / MARKER
            marker.write_text(lock_digest(self._places.lock) + "\n", encoding="utf-8")
            self._swap(new)
        except OSError as error:
            raise SetupError(
                f"The core environment cannot be written to {self._places.home} "
                f"({error.strerror or error}); check free space and permissions."
            ) from None
        finally:
            _discard(new, self._feedback)
        self._feedback.setProgress(100.0)
        return str(environment_python(self._places.environment, sys.platform))

    def _prepare(self, new: Path) -> None:
        if not self._places.lock.is_file():
            raise SetupError(
                f"The lock file {self._places.lock} is missing; install the plugin again."
            )
        self._places.home.mkdir(parents=True, exist_ok=True)
        if new.exists():
            self._feedback.pushInfo("Removing what an interrupted set-up left.")
        for left in (new, *self._places.home.glob(f"*{_DISCARDED}")):
            _discard(left, self._feedback)
        free = shutil.disk_usage(self._places.home).free
        if free < NEEDED_BYTES:
            raise SetupError(
                f"The disk with {self._places.home} has {free / 1e9:.1f} GB left, but the core "
                f"environment needs {NEEDED_BYTES / 1e9:.0f} GB; free some space."
            )

    def _install(self, python: str) -> None:
        lines = self._places.lock.read_text(encoding="utf-8").splitlines()
        total = sum("==" in line for line in lines)
        self._feedback.pushInfo(
            f"Installing {total} packages, each in the version and with the checksum of the lock "
            "file; this takes a few minutes."
        )
        seen = 0

        def show(line: str) -> None:
            nonlocal seen
            if line.startswith(("Collecting ", "Processing ")):
                seen += 1
                package = line.partition(" ")[2].partition(" (from")[0]
                self._feedback.pushInfo(f"{seen} of {total}: {Path(package).name}")
            elif line.startswith("Installing collected packages"):
                self._feedback.pushInfo("Unpacking.")
            share = min(1.0, seen / max(1, total))
            self._feedback.setProgress(_VENV_SHARE + 0.8 * share * (_PIP_SHARE - _VENV_SHARE))

        # Wheels only: to build a package is to run programs that it brings. Modules are compiled
        # when they are first imported, which is a third of all. No other setting of pip is
        # overruled, so that a company's index, certificate and proxy are used.
        command = [python, "-I", "-c", _PIP, "install", "--no-input", "--disable-pip-version-check"]
        command += ["--progress-bar", "off", "--no-user", "--only-binary", ":all:", "--no-compile"]
        command += ["--require-hashes", "--no-deps", "-r", str(self._places.lock)]
        variables = json.dumps(self._proxies) + "\n"
        self._run(command, self._pip_reason, show, variables)
        self._feedback.setProgress(_PIP_SHARE)

    def _pip_reason(self, output: str) -> str:
        address = next(
            (
                value
                for name in ("https_proxy", "http_proxy", "all_proxy")
                for key, value in {**self._environ, **self._proxies}.items()
                if key.lower() == name and value
            ),
            "",
        )
        name = "the proxy"
        if address:  # with its scheme, without which a login in it would not be found
            address = address if "://" in address else f"http://{address}"
            name += f" {without_logins(address).replace('***@', '')}"
        for needles, sentence in _PIP_REASONS:
            if any(needle in output for needle in needles):
                return sentence.format(proxy=name, Proxy=f"T{name[1:]}")
        last = next((line for line in reversed(output.splitlines()) if line.strip()), "no message")
        return f"The packages cannot be installed ({last.strip()}); see the log."

    def _run(self, command: Sequence[str], explain, show=None, stdin_text=None) -> None:
        """Run a command to its end; ``explain`` makes a sentence of the output of a failed one."""
        output: deque[str] = deque(maxlen=_SHOWN_LINES)
        try:
            child = ChildProcess(command, self._environ, stdin_text)
        except OSError as error:
            raise SetupError(
                f"{command[0]} cannot be started ({error.strerror}); choose another PYTHON."
            ) from None
        try:
            for item in child.lines():
                if self._feedback.isCanceled():
                    raise CoreCanceledError("The set-up was canceled.")
                if item is not None:
                    line = without_logins(item[1])
                    output.append(line)
                    if show is not None:
                        show(line)
            child.wait(10.0)
            if child.returncode != 0:
                self._feedback.pushDebugInfo("\n".join(output))
                raise SetupError(explain("\n".join(output)))
        finally:
            child.stop()

    def _swap(self, new: Path) -> None:
        """Put the new environment in the place of the old one, which lives until then."""
        final = self._places.environment
        old = final.with_name(f"{final.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        try:
            if final.exists():
                final.rename(old)
            try:
                new.rename(final)
            except OSError:
                if old.exists():
                    old.rename(final)
                raise
        except OSError as error:
            raise SetupError(
                f"The core environment {final} cannot be replaced ({error.strerror}), probably "
                "because it is in use; end other runs of HyP3 Stack and try again."
            ) from None
        shutil.rmtree(old, ignore_errors=True)


def remove_environment(places: Places) -> bool:
    """Remove the managed environment and what an interrupted set-up left of one.

    Returns whether there was anything of it.

    Raises SetupError if a program still uses it.
    """
    doomed = places.environment.with_name(f"{places.environment.name}.old")
    left = (doomed, places.unfinished, *places.home.glob(f"*{_DISCARDED}"))
    is_there = any(folder.exists() for folder in (places.environment, *left))
    try:
        for folder in left:
            if folder.exists():
                shutil.rmtree(folder)
        if places.environment.exists():
            # By its name first: what is half removed must not pass for an environment.
            places.environment.rename(doomed)
            shutil.rmtree(doomed)
    except OSError as error:
        raise SetupError(
            f"The core environment {places.environment} cannot be removed "
            f"({error.strerror or error}), probably because it is in use; end other runs of HyP3 "
            "Stack and try again."
        ) from None
    return is_there


def _discard(folder: Path, feedback: Feedback) -> None:
    """Remove a folder; after a cancel that goes on beside the run if it takes long.

    An environment has tens of thousands of files. What a program that ends leaves of it, the next
    set-up removes.
    """
    if not folder.exists():
        return
    doomed = folder.with_name(f"{folder.name.split('.')[0]}.{uuid.uuid4().hex[:8]}{_DISCARDED}")
    try:
        folder.rename(doomed)
    except OSError:  # a program that is about to end still uses it
        doomed = folder
    thread = threading.Thread(target=shutil.rmtree, args=(doomed,), kwargs={"ignore_errors": True})
    thread.start()
    while thread.is_alive():
        thread.join(_DISCARD_SECONDS)
        if feedback.isCanceled():
            return


class _Quiet:
    """Passes cancel and messages on, but no progress."""

    def __init__(self, feedback: Feedback) -> None:
        self.isCanceled = feedback.isCanceled
        self.pushInfo = feedback.pushInfo
        self.pushWarning = feedback.pushWarning
        self.pushDebugInfo = feedback.pushDebugInfo

    def setProgress(self, progress: float) -> None:
        """Show nothing."""


def _proxy_variables(
    environ: Mapping[str, str], proxies: Mapping[str, str], login: Mapping[str, str]
) -> dict[str, str]:
    """Return variables for QGIS's proxies, except for those that the user has set."""
    upper = {name.upper() for name in environ}
    variables = {}
    for scheme, address in proxies.items():
        name = "NO_PROXY" if scheme == "no_proxy" else f"{scheme.upper()}_PROXY"
        if name not in upper:
            variables[name] = address if scheme == "no_proxy" else with_login(address, login)
    return variables


def _venv_reason(output: str) -> str:
    if "ensurepip" in output or "No module named venv" in output:
        return (
            "The chosen Python cannot make virtual environments; install its module venv (on "
            "Debian and Ubuntu: sudo apt install python3-venv), or choose another PYTHON."
        )
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "no message")
    return f"The virtual environment cannot be made ({last.strip()}); choose another PYTHON."
