"""Test torchvision's real loader classes on small files in the real formats, through their download code."""

import errno
import gzip
import hashlib
import io
import pickle
import shutil
import socket
import sys
import tarfile
import threading
import types
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan import data
from gan.data.registry import DOWNLOADS
from gan.errors import UserError

RNG = np.random.default_rng(0)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder that stands for the internet, served at `address(path)`. The cache lies beside it."""
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "server"
    folder.mkdir()
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    (tmp_path / "port").write_text(str(http.server_port))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield folder
    http.shutdown()
    http.server_close()
    thread.join()


def address(path: Path) -> str:
    """Return the URL of a file of the server folder, or of the folder itself."""
    folder = path if path.is_dir() else path.parent
    port = (folder.parent / "port").read_text()
    return f"http://127.0.0.1:{port}/{'' if path.is_dir() else path.name}"


@pytest.fixture
def cut_off(monkeypatch):
    """A function that ends the internet: no name resolves after its call."""

    def unreachable(*_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    def cut():
        monkeypatch.setattr(socket, "getaddrinfo", unreachable)

    return cut


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def jpeg(colour, size) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", quality=95)
    return out.getvalue()


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def serve_idx(server: Path, monkeypatch, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Write the four gzipped IDX files of a set like MNIST, with five training images."""
    from torchvision import datasets

    images, labels = RNG.integers(0, 256, (5, 28, 28), np.uint8), np.arange(5, dtype=np.uint8)
    resources = []
    for split in ("train", "t10k"):
        for what, array in (("images-idx3", images), ("labels-idx1", labels)):
            name = f"{split}-{what}-ubyte.gz"
            header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
            (server / name).write_bytes(gzip.compress(header + array.tobytes()))
            resources.append((name, md5(server / name)))
    monkeypatch.setattr(getattr(datasets, kind), "resources", resources)
    monkeypatch.setattr(getattr(datasets, kind), "mirrors", [address(server)])
    return images, labels


@pytest.mark.parametrize(
    ("name", "kind"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")]
)
def test_mnist_family(server, monkeypatch, cut_off, name, kind):
    images, labels = serve_idx(server, monkeypatch, kind)
    for attempt in ("from the network", "from disk"):
        found = data.load(name)
        assert (found.images.numpy() == images[:, None]).all(), attempt
        assert (found.labels.numpy() == labels).all()
        assert found.labels.dtype == torch.int64
        assert found.classes == data.info(name).classes
        shutil.rmtree(server, ignore_errors=True)
        cut_off()
    assert data.load(name, 32, 3).images.shape == (5, 3, 32, 32)


def serve_omniglot(server: Path, monkeypatch) -> np.ndarray:
    """Write images_background.zip: one-bit PNGs of 105 pixels, black on white, by alphabet and character.

    The archive's order differs from that of the sorted images (60, 105, 105) that this returns.
    """
    from torchvision import datasets

    from gan.data.registry import OMNIGLOT_ALPHABETS

    pictures, files = np.ones((60, 105, 105), bool), {}
    for k, picture in enumerate(pictures):
        picture[10:20, k : k + 20] = False
        content = io.BytesIO()
        Image.fromarray(picture).save(content, "PNG")
        name = f"{OMNIGLOT_ALPHABETS[k // 2]}/character{k % 2 + 1:02d}/{k + 1:04d}_01.png"
        files[f"images_background/{name}"] = content.getvalue()
    with zipfile.ZipFile(server / "images_background.zip", "w") as archive:
        for name in RNG.permutation(list(files)):
            archive.writestr(str(name), files[name])
    sums = {"images_background": md5(server / "images_background.zip")}
    monkeypatch.setattr(datasets.Omniglot, "zips_md5", sums)
    monkeypatch.setattr(datasets.Omniglot, "download_url_prefix", address(server).rstrip("/"))
    return pictures


def test_omniglot(server, monkeypatch, cut_off):
    pictures = serve_omniglot(server, monkeypatch)
    found = data.load("omniglot")
    assert found.images.shape == (60, 1, 28, 28)
    assert (found.images[:, :, -1] == 0).all()  # the paper is black
    assert (found.images.flatten(1).max(1).values > 200).all()
    assert found.labels.tolist() == [k // 2 for k in range(60)]
    assert found.classes[24] == "N Ko"
    cut_off()
    assert (data.load("omniglot", 105).images.numpy() == np.where(pictures, 0, 255)[:, None]).all()


def test_omniglot_without_an_alphabet(server, monkeypatch):
    serve_omniglot(server, monkeypatch)
    data.load("omniglot")
    shutil.rmtree(next((server.parent / "cache").rglob("Greek")))
    with pytest.raises(UserError) as caught:
        data.load("omniglot")
    assert caught.value.key == "data.download_damaged"


def serve_cifar(server: Path, monkeypatch) -> tuple[np.ndarray, np.ndarray]:
    """Write cifar-10-python.tar.gz with five training batches of two images, a test batch, and batches.meta.

    Images are rows of 3072 bytes.
    """
    from torchvision import datasets

    pixels, labels = RNG.integers(0, 256, (10, 3072), np.uint8), np.arange(10)
    contents = {
        f"data_batch_{k + 1}": {
            "data": pixels[2 * k : 2 * k + 2],
            "labels": labels[2 * k : 2 * k + 2].tolist(),
        }
        for k in range(5)
    }
    contents |= {
        "test_batch": contents["data_batch_1"],
        "batches.meta": {"label_names": list(data.info("cifar10").classes)},
    }
    sums = {}
    with tarfile.open(server / "cifar-10-python.tar.gz", "w:gz") as archive:
        for name, content in contents.items():
            packed = pickle.dumps(content)
            sums[name] = hashlib.md5(packed).hexdigest()
            add(archive, f"cifar-10-batches-py/{name}", packed)
    for name, value in {
        "url": address(server / "cifar-10-python.tar.gz"),
        "tgz_md5": md5(server / "cifar-10-python.tar.gz"),
        "train_list": [[f"data_batch_{k}", sums[f"data_batch_{k}"]] for k in range(1, 6)],
        "test_list": [["test_batch", sums["test_batch"]]],
        "meta": {"filename": "batches.meta", "key": "label_names", "md5": sums["batches.meta"]},
    }.items():
        monkeypatch.setattr(datasets.CIFAR10, name, value)
    return pixels.reshape(10, 3, 32, 32), labels


def test_cifar10(server, monkeypatch):
    images, labels = serve_cifar(server, monkeypatch)
    found = data.load("cifar10")
    assert (found.images.numpy() == images).all()
    assert (found.labels.numpy() == labels).all()
    assert found.images.is_contiguous()
    assert found.classes[3] == "cat"


def test_svhn(server, monkeypatch):
    """Write train_32x32.mat with X (32, 32, 3, N) and y (N, 1), where 10 stands for the digit 0."""
    from scipy.io import savemat
    from torchvision import datasets

    images = RNG.integers(0, 256, (4, 3, 32, 32), np.uint8)
    path = server / "train_32x32.mat"
    savemat(path, {"X": images.transpose(2, 3, 1, 0), "y": np.array([[1], [9], [10], [4]], np.uint8)})
    monkeypatch.setattr(datasets.SVHN, "split_list", {"train": [address(path), path.name, md5(path)]})
    found = data.load("svhn")
    assert (found.images.numpy() == images).all()
    assert found.labels.tolist() == [1, 9, 0, 4]


def serve_flowers(server: Path, monkeypatch) -> list[str]:
    """Write 102flowers.tgz, imagelabels.mat and setid.mat with six images of one colour each.

    The splits come as train, val, test.
    """
    from scipy.io import savemat
    from torchvision import datasets

    colours = ["red", "lime", "blue", "white", "black", "yellow"]
    with tarfile.open(server / "102flowers.tgz", "w:gz") as archive:
        for k, colour in enumerate(colours, 1):
            add(archive, f"jpg/image_{k:05d}.jpg", jpeg(colour, (90, 70)))
    savemat(server / "imagelabels.mat", {"labels": np.array([[1, 2, 3, 4, 5, 102]])})
    savemat(
        server / "setid.mat",
        {"trnid": np.array([[1, 2]]), "valid": np.array([[3, 4]]), "tstid": np.array([[5, 6]])},
    )
    monkeypatch.setattr(datasets.Flowers102, "_download_url_prefix", address(server))
    monkeypatch.setattr(
        datasets.Flowers102,
        "_file_dict",
        {
            key: (name, md5(server / name))
            for key, name in {
                "image": "102flowers.tgz",
                "label": "imagelabels.mat",
                "setid": "setid.mat",
            }.items()
        },
    )
    return colours


def test_flowers102(server, monkeypatch):
    colours = serve_flowers(server, monkeypatch)
    found = data.load("flowers102")
    assert found.images.shape == (6, 3, 64, 64)
    assert found.labels.tolist() == [0, 1, 2, 3, 4, 101]
    assert (found.classes[0], found.classes[101]) == ("pink primrose", "blackberry lily")
    means = found.images.float().mean((2, 3)).numpy()
    assert np.allclose(
        means, [Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in colours], atol=6
    )


def test_photos_are_decoded_once(server, monkeypatch):
    serve_flowers(server, monkeypatch)
    first = data.load("flowers102", 16)
    for picture in (server.parent / "cache").rglob("*.jpg"):
        picture.unlink()
    assert (data.load("flowers102", 16).images == first.images).all()
    with pytest.raises(UserError) as caught:  # another size needs the images, which are gone
        data.load("flowers102", 24)
    assert caught.value.key == "data.download_damaged"


def serve_celeba(server: Path, monkeypatch, fetch) -> None:
    """Write img_align_celeba.zip and the five text files. `fetch` replaces gdown.download."""
    from torchvision import datasets

    from gan.data.registry import CELEBA_ATTRIBUTES

    names = [f"{k:06d}.jpg" for k in range(1, 5)]
    with zipfile.ZipFile(server / "img_align_celeba.zip", "w") as archive:
        for name, colour in zip(names, ("red", "lime", "blue", "white"), strict=True):
            archive.writestr(f"img_align_celeba/{name}", jpeg(colour, (178, 218)))
    smiling = CELEBA_ATTRIBUTES.index("Smiling")
    marks = -np.ones((4, 40), int)
    marks[[0, 2], smiling] = 1
    marks[1, 20] = 1

    def table(header, rows):
        lines = [str(len(rows)), header + " "] if header else []
        return (
            "\n".join(
                lines + [f"{name} " + "  ".join(map(str, row)) for name, row in zip(names, rows, strict=True)]
            )
            + "\n"
        )

    for name, text in {
        "list_attr_celeba.txt": table(" ".join(CELEBA_ATTRIBUTES), marks),
        "identity_CelebA.txt": table("", [[k] for k in range(4)]),
        "list_bbox_celeba.txt": table("image_id x_1 y_1 width height", [[0, 0, 9, 9]] * 4),
        "list_landmarks_align_celeba.txt": table("lefteye_x lefteye_y", [[1, 2]] * 4),
        "list_eval_partition.txt": table("", [[0], [0], [0], [2]]),
    }.items():
        (server / name).write_text(text)
    monkeypatch.setattr(
        datasets.CelebA, "file_list", [(path.name, md5(path), path.name) for path in sorted(server.iterdir())]
    )
    gdown = types.ModuleType("gdown")
    gdown.download = fetch
    monkeypatch.setitem(sys.modules, "gdown", gdown)


def test_celeba(server, monkeypatch):
    serve_celeba(server, monkeypatch, lambda id, output, **_: shutil.copy(server / id, output))
    found = data.load("celeba")
    assert found.images.shape == (3, 3, 64, 64)  # the fourth image belongs to the test split
    assert found.labels.tolist() == [1, 0, 1]
    assert found.classes == ("not smiling", "smiling")
    assert len(found.attributes) == 40
    assert tuple(found.attributes) == data.info("celeba").attribute_names
    assert found.attributes["Male"].tolist() == [0, 1, 0]
    assert np.allclose(found.images.float().mean((2, 3)), [[255, 0, 0], [0, 255, 0], [0, 0, 255]], atol=6)


def test_celeba_quota(server, monkeypatch):
    def refuse(**_):
        raise RuntimeError(
            "Cannot retrieve the public link of the file. Too many users have viewed or downloaded "
            "this file recently."
        )

    serve_celeba(server, monkeypatch, refuse)
    with pytest.raises(UserError, match=r"celeba.*daily limit") as caught:
        data.load("celeba")
    assert caught.value.key == "data.quota"


def test_celeba_without_gdown(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "gdown", None)
    with pytest.raises(UserError, match="pip install gdown"):
        data.load("celeba")


@pytest.mark.parametrize("name", sorted(DOWNLOADS.keys() - {"celeba"}))  # gdown looks for celeba
def test_without_internet(server, cut_off, name):
    cut_off()
    before = socket.getdefaulttimeout()
    with pytest.raises(UserError, match=f"“{name}” could not be downloaded") as caught:
        data.load(name)
    assert caught.value.key == "data.offline"
    assert socket.getdefaulttimeout() == before


@pytest.mark.parametrize(
    "failure",
    [
        ImportError("libjpeg.so.8: cannot open shared object file"),
        RuntimeError("operator torchvision::nms does not exist"),
    ],
)
def test_broken_torchvision(server, monkeypatch, failure):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "torchvision":
                raise failure

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(UserError) as caught:
        data.load("mnist")
    assert caught.value.key == "data.torchvision"
    assert str(failure) in str(caught.value)


def test_damaged_download(server, monkeypatch):
    serve_idx(server, monkeypatch, "MNIST")
    data.load("mnist")
    raw = next((server.parent / "cache").rglob("train-images-idx3-ubyte"))
    raw.write_bytes(raw.read_bytes()[:100])
    with pytest.raises(UserError) as caught:
        data.load("mnist")
    assert caught.value.key == "data.download_damaged"


def test_a_download_that_is_not_what_was_published(server, monkeypatch):
    """A hotel's login page replaces the file. torchvision's checksum refuses it, and so do we."""
    serve_idx(server, monkeypatch, "MNIST")
    for path in server.iterdir():
        path.write_text("<html>Welcome to our hotel</html>")
    with pytest.raises(UserError) as caught:
        data.load("mnist")
    assert caught.value.key == "data.offline"


def test_cache_that_cannot_be_written(server, monkeypatch):
    (server / "file").write_text("not a folder")
    monkeypatch.setenv("GANARIUM_CACHE", str(server / "file"))
    with pytest.raises(UserError) as caught:
        data.load("mnist")
    assert caught.value.key == "data.cache"
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setenv("GANARIUM_CACHE", str(server / "ok"))
    from torchvision import datasets

    monkeypatch.setattr(datasets.MNIST, "download", lambda self: (_ for _ in ()).throw(full))
    with pytest.raises(UserError, match="No space left"):
        data.load("mnist")
