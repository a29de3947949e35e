"""How much of a document is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hyp3_stack.core.run.documents import LARGEST_DOCUMENT, read_document


def test_a_document_without_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.geojson"
    path.write_bytes(b"{}")
    assert read_document(path) == b"{}"
    os.truncate(path, LARGEST_DOCUMENT)
    assert len(read_document(path)) == LARGEST_DOCUMENT
    os.truncate(path, 1 << 40)  # a sparse file, which takes no space
    with pytest.raises(ValueError, match="more than 67,108,864 bytes"):
        read_document(path)
