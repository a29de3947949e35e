"""Archives that want more than their folder."""

import stat
import zipfile

import pytest

from hyp3_stack.core.errors import Canceled, ProductError
from hyp3_stack.core.retrieval.download.archive import Limits, unpack, unpacked_size

from .products import write_archive

NAME = "S1AA_20210302T135156_20210314T135156_VVP012_INT80_G_ueF_1000"


def go_on():
    return None


@pytest.fixture
def box(tmp_path):
    """An empty folder in a folder that is watched."""
    folder = tmp_path / "outer" / "box"
    folder.mkdir(parents=True)
    return folder


def archive_of(tmp_path, *members):
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def link(name, target):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


def encrypted(path):
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    return path


def test_whole_product(tmp_path, box):
    path = write_archive(tmp_path, NAME)
    members = unpack(path, NAME, box, go_on)
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            assert (box / info.filename).read_bytes() == archive.read(info)
            member = members[info.filename.removeprefix(f"{NAME}/")]
            assert (member.size, member.crc) == (info.file_size, info.CRC)
    assert unpacked_size(path, NAME) == sum(member.size for member in members.values())


@pytest.mark.parametrize(
    "members",
    [
        [("../evil.txt", b"x")],
        [(f"{NAME}/../../evil.txt", b"x")],
        [("/tmp/evil.txt", b"x")],
        [(f"{NAME}/..\\..\\evil.txt", b"x")],
        [("C:/evil.txt", b"x")],
        [(f"{NAME}/C:evil.txt", b"x")],
        [("evil.txt", b"x")],
        [(NAME, b"x")],
        [("another/evil.txt", b"x")],
        [link(f"{NAME}/link", "/etc"), (f"{NAME}/link/evil.txt", b"x")],
        [link(f"{NAME}/{NAME}_corr.tif", "../../../evil.txt")],
        [(f"{NAME}/a.txt", b"x"), (f"{NAME}/A.TXT", b"y")],
        [(f"{NAME}/a.txt ", b"x")],
        [(f"{NAME}/a\n.txt", b"x")],
        [(f"{NAME}/{'x' * 256}", b"x")],
        [(f"{NAME}/a", b"x"), (f"{NAME}/a/b.txt", b"x")],
        [(f"{NAME}/bomb.tif", bytes(80_000_000))],
        [(f"{NAME}/{number}", b"") for number in range(1001)],
        [(f"{NAME}/", b"")],
        [],
    ],
    ids=lambda members: str(members[0][0])[-40:] if members else "empty",
)
def test_hostile_archives_leave_nothing(tmp_path, box, members):
    path = archive_of(tmp_path, *members)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ProductError) as caught:
        unpack(path, NAME, box, go_on)
    assert NAME in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_encrypted_archive(tmp_path, box):
    path = encrypted(archive_of(tmp_path, (f"{NAME}/a.txt", b"x")))
    with pytest.raises(ProductError, match="is encrypted"):
        unpack(path, NAME, box, go_on)


def test_nul_in_a_name(tmp_path, box):
    path = archive_of(tmp_path, (f"{NAME}/abc.txt", b"x"))
    path.write_bytes(path.read_bytes().replace(b"abc.txt", b"ab\0.txt"))
    with pytest.raises(ProductError, match="characters that file names must not have"):
        unpack(path, NAME, box, go_on)


def test_member_that_is_larger_than_listed_stays_within_its_size(tmp_path, box):
    path = archive_of(tmp_path, (f"{NAME}/a.txt", b"x" * 5000))
    size = (5000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
    with pytest.raises(ProductError, match="damaged"):
        unpack(path, NAME, box, go_on)
    assert sum(file.stat().st_size for file in box.rglob("*") if file.is_file()) <= 100


def test_masks_that_pack_well_are_no_bomb(tmp_path, box):
    path = archive_of(tmp_path, (f"{NAME}/{NAME}_water_mask.tif", bytes(25_000_000)))
    assert unpacked_size(path, NAME) == 25_000_000
    with pytest.raises(ProductError, match="would become"):
        unpacked_size(path, NAME, limits=Limits(bytes=10**6))


@pytest.mark.parametrize("place", [0.2, 0.5])
def test_flipped_byte(tmp_path, box, place):
    path = write_archive(tmp_path, NAME, size=100_000)
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ProductError, match="is damaged"):
        unpack(path, NAME, box, go_on)


@pytest.mark.parametrize("keep", [0, 10, 1000])
def test_truncated_archive(tmp_path, box, keep):
    path = write_archive(tmp_path, NAME)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ProductError, match="is damaged"):
        unpack(path, NAME, box, go_on)


def test_stop_while_unpacking(tmp_path, box):
    def stop():
        raise Canceled("stop")

    with pytest.raises(Canceled):
        unpack(write_archive(tmp_path, NAME), NAME, box, stop)
