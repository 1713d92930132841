"""Parts as objects of a bucket, on a real S3 server of this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scraper.errors import SinkError, WriteError
from scraper.write.partforms import LinesForm
from scraper.write.partplaces import RemotePlace
from scraper.write.staged import StagedParts

s3fs = pytest.importorskip("s3fs", reason="the extra s3 is not installed")
server = pytest.importorskip("moto.server", reason="moto is not installed")

URL = "s3://bucket/some/folder"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 server on a free port of loopback."""
    moto = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.mkdir("bucket")
    yield
    files.rm("bucket", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


def objects() -> dict[str, bytes]:
    files = s3fs.S3FileSystem()
    files.invalidate_cache()
    return {path.rpartition("/")[2]: files.cat_file(path) for path in files.find("bucket")}


def store(folder: Path, url: str = URL) -> StagedParts:
    form = LinesForm(".jsonl.gz", compression="gz", form="jsonl")
    return StagedParts(RemotePlace(url, url), form, folder / "pages.jsonl.gz.rows", part_bytes=10)


def test_parts_become_objects_and_a_resume_knows_them(bucket, tmp_path):
    import gzip

    first = store(tmp_path)
    first.open()
    first.recover({})
    first.write([b'{"url":"1"}\n'])
    told = dict(first.commit())
    first.settle()
    first.write([b'{"url":"2"}\n'])
    first.commit()
    first.close()  # killed between the upload and the journal's line
    assert set(objects()) == {"part-00000.jsonl.gz", "part-00001.jsonl.gz"}
    second = store(tmp_path)
    second.open()
    second.recover(told)
    assert set(objects()) == {"part-00000.jsonl.gz"}
    second.write([b'{"url":"3"}\n'])
    second.finish()
    assert set(second.commit()) == {f"{URL}/part-00000.jsonl.gz", f"{URL}/part-00001.jsonl.gz", "pages.jsonl.gz.rows"}
    second.settle()
    second.close()
    rows = {name: gzip.decompress(data) for name, data in objects().items()}
    assert rows == {"part-00000.jsonl.gz": b'{"url":"1"}\n', "part-00001.jsonl.gz": b'{"url":"3"}\n'}


def test_part_that_is_gone_is_told_before_anything_is_fetched(bucket, tmp_path):
    first = store(tmp_path)
    first.open()
    first.recover({})
    first.write([b'{"url":"1"}\n'])
    told = first.commit()
    first.close()
    s3fs.S3FileSystem().rm_file("bucket/some/folder/part-00000.jsonl.gz")
    second = store(tmp_path)
    second.open()
    with pytest.raises(SinkError, match="is missing, but"):
        second.recover(told)
    second.close()


def test_bucket_that_is_not_there_is_told_and_no_secret(bucket, tmp_path):
    place = RemotePlace("s3://nosuchbucket/x?secret", "s3://nosuchbucket/x")
    place.open()
    (tmp_path / "part").write_bytes(b"rows")
    with pytest.raises(WriteError, match=r"^s3://nosuchbucket/x: cannot be written: .*mend the cause") as caught:
        place.put("part-00000.jsonl", tmp_path / "part")
    assert "secret" not in str(caught.value)
