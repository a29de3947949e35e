"""``.netrc`` files as people have them: other encodings, other forms, and errors."""

import os
from pathlib import Path

import pytest

from hyp3_stack.core.errors import AuthenticationError
from hyp3_stack.core.retrieval.service.credentials import resolve_credentials
from hyp3_stack.core.retrieval.service.netrc_file import read_netrc
from hyp3_stack.core.run.reporter import SilentReporter

ENTRY = "machine urs.earthdata.nasa.gov login me password {}\n"


@pytest.fixture
def written(monkeypatch, tmp_path):
    """Returns what a file gives, and the warnings about it."""
    path = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(path))

    def resolve(content, mode=0o600):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        reporter = SilentReporter()
        found = resolve_credentials(None, {}, reporter)
        return found.username, found.password, reporter.warnings

    return resolve


@pytest.mark.parametrize(
    ("encoding", "password"),
    [
        ("utf-8", "p\u00e4ss\u20ac"),
        ("utf-8-sig", "p\u00e4ss\u20ac"),
        ("utf-16", "p\u00e4ss\u20ac"),
        ("utf-16-le", "pass"),
        ("utf-16-be", "pass"),
        ("utf-32", "p\u00e4ss\u20ac"),
        ("latin-1", "p\u00e4ss"),
        ("cp1252", "p\u00e4ss\u20ac"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encodings(written, encoding, password, ending):
    text = f"machine example.org login a password b\n{ENTRY.format(password)}"
    assert written(text.replace("\n", ending).encode(encoding)) == ("me", password, [])


@pytest.mark.parametrize(
    ("text", "password"),
    [
        (ENTRY.format('"two words"'), "two words"),
        (ENTRY.format(r"two\ words"), "two words"),
        (ENTRY.format(r'"a \"b\" c"'), 'a "b" c'),
        (ENTRY.format("#hash"), "#hash"),
        (ENTRY.format("a#b") + "# a comment with machine and password\n", "a#b"),
        (ENTRY.format('qu"ote'), 'qu"ote'),
        (ENTRY.format('"login"'), "login"),
        ("machine URS.earthdata.NASA.gov\n\tlogin me\n\taccount x\n\tpassword p\n", "p"),
        ("machine urs.earthdata.nasa.gov password p user me", "p"),
        ("default login me password p", "p"),
        ("default login you password q\n" + ENTRY.format("p"), "p"),
        ("macdef init\ncd /tmp\nmachine x\n\n" + ENTRY.format("p"), "p"),
        (ENTRY.format("old") + ENTRY.format("p"), "p"),
        (ENTRY.format("p") + "machine other.example password\nmachine x login y\n", "p"),
    ],
)
def test_forms(written, text, password):
    assert written(text) == ("me", password, [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("this is junk\n" + ENTRY.format("p"), 1),
        (ENTRY.format("p") + "\nthis is junk\n", 3),
        ("machine: other.example login: a password: b\n" + ENTRY.format("p"), 1),
        (ENTRY.format("p") + "login = a\npassword = b\n", None),
        ("machine other.example login a password b c\n" + ENTRY.format("p"), 1),
        ("login me password p\n" + ENTRY.format("p"), 1),
    ],
)
def test_wrong_lines_elsewhere_are_told_and_passed_over(written, text, line):
    try:
        username, password, warnings = written(text)
    except AuthenticationError as error:
        # What follows in the form of an entry could belong to it.
        assert line is None and "Line 2 of " in str(error)
        return
    assert (username, password) == ("me", "p")
    assert [w.partition(" is passed over")[0].split()[:2] for w in warnings] == [
        ["Line", str(line)]
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ENTRY.format("two swordfish"), "Line 1 of .* has words behind its entry"),
        ("\n" + ENTRY.format('"a"swordfish'), "Line 2 of .* has words behind its entry"),
        (
            "machine urs.earthdata.nasa.gov\n login me\n password swordfish b\n",
            "Line 3 of .* words behind",
        ),
        ("default login me password a b\n", "Line 1 of .* its entry for default"),
        ("\n\nmachine urs.earthdata.nasa.gov login me\n", "line 3 of .* has no password; add it"),
        ("machine urs.earthdata.nasa.gov password p\n", "line 1 of .* has no login; add it"),
        ("machine urs.earthdata.nasa.gov login me password\nmachine a login b\n", "no password"),
        (
            "machine: urs.earthdata.nasa.gov\nlogin: me\npassword: swordfish\n",
            "its line 1 is not as",
        ),
        (
            "urs.earthdata.nasa.gov:me:swordfish\n",
            "line 1 .* write machine urs.earthdata.nasa.gov login",
        ),
        ("\n{'machine': 'urs.earthdata.nasa.gov'}", "its line 2 is not as"),
        ("", "No Earthdata credentials were found;"),
        ("machine example.org login me password p\n", "No Earthdata credentials were found;"),
        ("default login anonymous\n", "No Earthdata credentials were found;"),
        (bytes(range(128, 256)) * 9, "earthdata"),
        (b"\0" * 3000, "earthdata"),
    ],
)
def test_files_without_a_usable_entry(written, text, words):
    with pytest.raises(AuthenticationError, match=words) as caught:
        written(text)
    assert "swordfish" not in str(caught.value)


def test_file_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("NETRC", str(tmp_path / "nothing"))
    with pytest.raises(
        AuthenticationError, match=r"found \(.*nothing cannot be read: No such file"
    ):
        resolve_credentials(None, {})
    monkeypatch.setenv("NETRC", str(tmp_path))
    with pytest.raises(AuthenticationError, match=r"cannot be read: Is a directory|cannot be read"):
        resolve_credentials(None, {})


@pytest.mark.skipif(os.name != "posix", reason="has no such files")
def test_file_without_end():
    with pytest.raises(OSError, match="not an ordinary file"):
        read_netrc(Path("/dev/zero"))


@pytest.mark.parametrize("name", [".netrc", "_netrc"])
def test_file_in_the_home_folder(monkeypatch, tmp_path, name):
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / name).write_text(ENTRY.format("p"))
    (tmp_path / name).chmod(0o600)
    found = resolve_credentials(None, {})
    assert found.password == "p" and str(tmp_path / name) in found.source


@pytest.mark.skipif(os.name != "posix", reason="permissions are others there")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_file_that_others_can_read(written, mode):
    _, _, (warning,) = written(ENTRY.format("p"), mode)
    assert "Other users of this computer can read the passwords" in warning
    assert "run chmod 600 /" in warning


def test_nothing_of_a_file_is_shown(tmp_path):
    (tmp_path / "netrc").write_text(ENTRY.format("hunter2"))
    file = read_netrc(tmp_path / "netrc")
    assert "hunter2" not in f"{file} {file!r} {file.entries}"
