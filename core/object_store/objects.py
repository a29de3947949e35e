"""The few requests that a stack needs besides those for its chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from zarr.core.sync import sync

from ..errors import StoreError
from .failures import in_words, is_changed, is_not_found, is_refused
from .location import PATIENT, RemoteLocation, close_connections

_BULK = 1000
"""Objects that S3 lists or deletes with one request."""


class Objects:
    """What lies at a location and below it; names are relative to its key.

    To be used as a context manager, or to be closed. All methods raise StoreError with a sentence
    where the service does not do what is asked.

    Parameters
    ----------
    location
        Where.
    attempts
        How often a request is tried.
    """

    def __init__(self, location: RemoteLocation, attempts: int = PATIENT) -> None:
        self.location = location
        self._files = location.file_system(attempts)

    def __enter__(self) -> Objects:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; asking for an object opens new ones."""
        close_connections(self._files)

    def names(self, verb: str = "read") -> Iterator[str]:
        """Yield the names below the location in the order of their bytes.

        An empty object of the name of the folder itself, as web consoles make them, is no content.
        """
        prefix = f"{self.location.key}/"
        for item in self._list(verb, Prefix=prefix):
            if item["Key"] != prefix:
                yield str(item["Key"])[len(prefix) :]

    def tags(self) -> dict[str, tuple[int, str]]:
        """Return size and tag (it differs between contents) of all objects below the location."""
        prefix = f"{self.location.key}/"
        return {
            str(item["Key"])[len(prefix) :]: (int(item["Size"]), str(item["ETag"]).strip('"'))
            for item in self._list("read", Prefix=prefix)
        }

    def is_object(self) -> bool:
        """Return whether the location itself is the name of an object."""
        found = self._list("read", Prefix=self.location.key, MaxKeys=1)
        return any(item["Key"] == self.location.key for item in found)

    def put(self, name: str, content: bytes, **condition: str) -> None:
        """Write an object."""
        self._call("written", "put_object", Key=self._key(name), Body=content, **condition)

    def put_if(self, name: str, content: bytes, version: str | None) -> None:
        """Write an object if nobody has meanwhile; services that know no conditions always do.

        Parameters
        ----------
        name, content
            As for `put`.
        version
            From `version`; with None, the object is written if there is still none.
        """
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        try:
            self.put(name, content, **condition)
        except StoreError as error:
            if is_changed(error):
                return
            if not is_refused(error):
                raise
            # Services say in different ways that they know no conditions.
            self.put(name, content)

    def put_all(self, contents: Sequence[tuple[str, bytes]]) -> None:
        """Write several small objects at once."""
        with in_words(self.location, "written"):
            sync(self._files._pipe({self._path(name): content for name, content in contents}))

    def get(self, name: str) -> bytes | None:
        """Return the content of an object, None where there is none."""
        try:
            with in_words(self.location, "read"):
                content = sync(self._files._cat_file(self._path(name)))
        except StoreError as error:
            if is_not_found(error):
                return None
            raise
        return bytes(content)

    def version(self, name: str) -> str | None:
        """Return what distinguishes the content of an object, None where there is no object."""
        try:
            return str(self._call("read", "head_object", Key=self._key(name))["ETag"])
        except StoreError as error:
            if is_not_found(error):
                return None
            raise

    def idle_seconds(self, name: str) -> float:
        """Return the seconds since anything was written at the location, where an object is.

        Parameters
        ----------
        name
            The object: with its answer, the service gives the time of its own clock.
        """
        answer = self._call("read", "head_object", Key=self._key(name))
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        written = [answer["LastModified"]]
        written += [item["LastModified"] for item in self._list("read", Prefix=self._key(""))]
        seconds: float = (now - max(written)).total_seconds()
        return seconds

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; that one is gone already is not an error, so already."""
        for begin in range(0, len(names), _BULK):
            keys = [{"Key": self._key(name)} for name in names[begin : begin + _BULK]]
            answer = self._call(
                "cleaned", "delete_objects", Delete={"Objects": keys, "Quiet": True}
            )
            for failure in answer.get("Errors", []):
                raise StoreError(
                    f"{self.location.url} cannot be cleaned, because deleting "
                    f"{failure.get('Key')} was refused ({failure.get('Code')}); ask for permission "
                    "to delete there, or choose another place."
                )

    def _path(self, name: str) -> str:
        return f"{self.location.bucket}/{self._key(name)}"

    def _key(self, name: str) -> str:
        return f"{self.location.key}/{name}"

    def _list(self, verb: str, **options: Any) -> Iterator[dict[str, Any]]:
        """Yield what the service lists, page after page."""
        more: dict[str, str] = {}
        while True:
            answer = self._call(verb, "list_objects_v2", **options, **more)
            yield from answer.get("Contents", [])
            if not answer.get("IsTruncated") or "MaxKeys" in options:
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _call(self, verb: str, method: str, **options: Any) -> dict[str, Any]:
        bucket = self.location.bucket
        with in_words(self.location, verb):
            asked = self._files._call_s3(method, Bucket=bucket, **options)
            answer: dict[str, Any] = sync(asked)
        return answer
