"""Test that tables of the Hub that were made to do harm cost neither much memory nor many downloads."""

import io
import json
import subprocess
import sys
import zipfile

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from gan.errors import UserError
from gan.hub import sets, table
from gan.hub.child import CODE
from gan.hub.sets import pull_apart, pull_set
from tests.fakes.hub import Repository, fake_hub
from tests.support.inputs.tables import picture
from tests.support.inputs.tables import table as rows

NAME, FILE = "ada/cats", "data/train-00000-of-00001.parquet"
MB = 2**20
# A process that pulls as gan.hub.sets does, with less memory. The size of a value stands for 2 GB.
SMALL = "import sys; from gan.hub import child, sets, table; child.MEMORY = 400 * 2**20; "


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub without sets, and an empty cache."""
    with fake_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server


def publish(hub, content):
    hub.repositories[f"datasets/{NAME}"] = Repository({FILE: content})


def packed(count: int, megabytes: int) -> bytes:
    """Return a table of equal rows of zeros, which zstd packs into a kilobyte."""
    kind = pa.struct([("bytes", pa.binary())])
    out = io.BytesIO()
    made = pa.table({"image": pa.array([{"bytes": bytes(megabytes * MB)}] * count, kind)})
    parquet.write_table(made, out, compression="zstd", use_dictionary=True)
    return out.getvalue()


def pull_in_little_memory(tmp_path, code: str = "") -> dict:
    """Return the answer of a process that has MEMORY less than usual."""
    command = [
        sys.executable,
        "-c",
        f"{SMALL}{code}sys.exit(sets.main())",
        NAME,
        "--into",
        str(tmp_path / "x"),
    ]
    done = subprocess.run(command, capture_output=True, cwd=CODE, check=False)
    assert done.stdout, done.stderr.decode()
    return json.loads(done.stdout)


def refused(act) -> str:
    with pytest.raises(UserError) as caught:
        act()
    return caught.value.key


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")


@linux
def test_a_long_value_that_all_rows_share_is_unpacked_for_one_row_at_a_time(hub, tmp_path):
    content = packed(16, 20)
    assert len(content) < 2000
    publish(hub, content)
    with zipfile.ZipFile(pull_in_little_memory(tmp_path)["path"]) as archive:
        assert [one.file_size for one in archive.infolist()] == [20 * MB] * 16


@linux
def test_a_page_that_unpacks_to_more_than_it_claims_meets_the_limit_of_memory(hub, tmp_path):
    publish(hub, packed(2, 300))
    answer = pull_in_little_memory(tmp_path, "table._check_claims = lambda *facts: None; ")
    assert answer == {"error": {"key": "hub.set_needs_memory", "values": {"name": f"hub:{NAME}"}}}


def test_a_table_that_claims_to_expand_is_refused_before_it_is_read(hub):
    publish(hub, packed(1, 80))
    assert refused(lambda: pull_apart(f"hub:{NAME}", 5)) == "hub.set_needs_memory"


def test_a_long_footer_is_not_downloaded(hub, monkeypatch):
    publish(hub, rows([picture(1), picture(2)]))
    monkeypatch.setattr(table, "MAX_FOOTER", 100)
    came = []
    whole = table._Remote._range
    monkeypatch.setattr(table._Remote, "_range", lambda self, *ends: came.append(ends) or whole(self, *ends))
    assert refused(lambda: pull_set(NAME, token=False)) == "hub.set_needs_memory"
    assert [end - start for start, end in came] == [8]


def test_a_long_page_is_not_downloaded(hub, monkeypatch):
    publish(hub, rows([picture(number, 300) for number in range(4)]))
    monkeypatch.setattr(table, "MAX_READ", 70_000)
    monkeypatch.setattr(table, "BUFFER", 1000)
    assert refused(lambda: pull_set(NAME, token=False)) == "hub.set_needs_memory"


def test_what_is_left_out_counts_as_a_download_too(hub, monkeypatch):
    publish(hub, rows([picture(number, 90) for number in range(9)]))
    with monkeypatch.context() as small:
        small.setattr(sets, "MAX_MEMBER", 5000)
        small.setattr(sets, "MAX_TOTAL", 20_000)
        assert refused(lambda: pull_set(NAME, token=False)) == "hub.set_too_large"
    monkeypatch.setattr(table, "MAX_DOWNLOAD", 20_000)
    assert refused(lambda: pull_set(NAME, token=False)) == "hub.set_too_large"


def test_labels_that_are_no_numbers_are_none():
    features = {"label": {"_type": "ClassLabel", "names": ["a", "b"]}}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    for kind, classes in ((pa.int64(), ("a", "b")), (pa.list_(pa.int64()), ()), (pa.string(), ())):
        schema = pa.schema([("image", pa.binary()), ("label", kind)], about)
        assert table.find_columns(schema, NAME).classes == classes
