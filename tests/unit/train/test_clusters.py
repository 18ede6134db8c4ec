"""Test clusters: groups of similar images, and the way in which networks learn about them."""

import pytest
import torch
from PIL import Image
from scipy.stats import binom
from sklearn.cluster import KMeans

from gan import data
from gan.cli.train import main
from gan.files import read_json
from gan.models import ARCHITECTURES, ModelSpec, build_discriminator, build_generator
from gan.models.conditioning import BLEND, ClassConditioning
from gan.train.inputs import clusters
from gan.train.inputs.clusters import MIN_MEMBERS, SIDE, find_clusters
from gan.train.trainer import Trainer
from tests.support.engine import CPU, tiny_config, tiny_data

COLOURS = torch.tensor([[250, 10, 10], [10, 250, 10], [10, 10, 250]], dtype=torch.uint8)


def coloured(counts: list[int], size: int = 16) -> torch.Tensor:
    """Return noisy images of one colour each, so many of each colour."""
    rng = torch.Generator().manual_seed(1)
    which = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    flat = COLOURS[which][:, :, None, None].expand(-1, 3, size, size).int()
    return (flat + torch.randint(-10, 11, flat.shape, generator=rng)).clamp(0, 255).to(torch.uint8)


def test_planted_clusters_are_found_with_their_shares():
    groups, shares = find_clusters(coloured([60, 30, 10]), None, 0, 3, seed=0)
    first, second, third = groups[0].item(), groups[60].item(), groups[90].item()
    assert sorted((first, second, third)) == [0, 1, 2]
    assert (groups == torch.tensor([first] * 60 + [second] * 30 + [third] * 10)).all()
    assert shares[0, [first, second, third]].tolist() == pytest.approx([0.6, 0.3, 0.1])


def test_each_class_has_clusters_of_its_own():
    labels = torch.tensor([2] * 60 + [0] * 60)
    groups, shares = find_clusters(coloured([30, 30, 60]), labels, 4, 2, seed=0)
    assert (groups // 2 == labels).all()
    assert groups[:30].unique().numel() == groups[30:60].unique().numel() == 1
    assert groups[0] != groups[30]
    torch.testing.assert_close(shares.sum(1), torch.ones(4, dtype=torch.float64))
    for label in (1, 3):
        assert shares[label].tolist() == [1, 0], "a class without pictures"


def test_few_pictures_have_fewer_clusters():
    _, shares = find_clusters(coloured([MIN_MEMBERS, MIN_MEMBERS, MIN_MEMBERS - 1]), None, 0, 16, seed=0)
    assert (shares > 0).sum() <= 2
    assert find_clusters(coloured([5, 5, 5]), None, 0, 16, seed=0)[1][0, 0] == 1


def test_equal_pictures_are_one_look():
    groups, shares = find_clusters(torch.zeros(100, 1, 28, 28, dtype=torch.uint8), None, 0, 4, seed=0)
    assert groups.unique().numel() == 1
    assert shares.max() == 1


def test_clusters_are_a_function_of_the_seed_and_neighbours_are_alike():
    images = data.load("digits").images[:3000]
    groups, _ = find_clusters(images, None, 0, 8, seed=3)
    again, _ = find_clusters(images, None, 0, 8, seed=3)
    assert (groups == again).all()
    assert not (groups == find_clusters(images, None, 0, 8, seed=4)[0]).all()
    pixels = torch.nn.functional.adaptive_avg_pool2d(images.float(), SIDE).flatten(1)
    centres = torch.stack([pixels[groups == cluster].mean(0) for cluster in range(8)])
    apart = torch.cdist(centres, centres)
    beside = apart.diagonal(1).mean()
    assert beside < apart[apart > 0].mean()


def test_pictures_that_are_looked_at_in_parts_get_the_same_clusters(monkeypatch):
    images, labels = data.load("digits").images[:3000], torch.arange(3000) % 2
    whole = find_clusters(images, labels, 2, 8, seed=3)
    monkeypatch.setattr(clusters, "ROWS", 700)
    monkeypatch.setattr(clusters, "CHUNK", 50_000)
    for one, other in zip(whole, find_clusters(images, labels, 2, 8, seed=3), strict=True):
        assert torch.equal(one, other)


def test_the_groups_are_as_tight_as_scikit_learns():
    """k-means finds a local optimum, as scikit-learn's does from one start.

    The two sums of squares differ by at most a twentieth.
    """
    images = data.load("digits").images[:2000]
    pixels = torch.nn.functional.adaptive_avg_pool2d(images.float() / 255, SIDE).flatten(1)
    groups, _ = find_clusters(images, None, 0, 10, seed=0)
    ours = sum(
        (pixels[groups == cluster] - pixels[groups == cluster].mean(0)).square().sum().item()
        for cluster in range(10)
    )
    assert ours == pytest.approx(KMeans(10, n_init=1, random_state=0).fit(pixels.numpy()).inertia_, rel=0.05)


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_networks_with_clusters(architecture, classes):
    spec = ModelSpec(architecture, 64, 3, 10, 8, classes, clusters=4)
    G, D = build_generator(spec), build_discriminator(spec)
    groups = torch.arange(spec.groups)
    images = G(*G.conditioning.split(torch.randn(len(groups), 10), groups))
    D(images, groups).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in G.parameters())
    labels = torch.zeros(5, dtype=torch.long) if classes else None
    assert G(torch.randn(5, 10), labels).shape == (5, 3, 64, 64)
    D.eval()
    with torch.no_grad():
        assert not torch.equal(D(images, groups), D(images, groups.flip(0)))


def told(shares: list[list[float]]) -> ClassConditioning:
    """Return a ClassConditioning with these shares of clusters.

    Its embedding begins with the weight of each group.
    """
    module = ClassConditioning(
        ModelSpec("modern", 28, 1, 4, 8, len(shares) if len(shares) > 1 else 0, clusters=len(shares[0]))
    )
    module.set_shares(torch.tensor(shares))
    with torch.no_grad():
        module.embed.weight[:] = torch.eye(len(module.embed.weight), module.embed.weight.shape[1])
    return module


def weights(module: ClassConditioning, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
    """Return the weight of each group (N, groups)."""
    return module(z, labels)[:, z.shape[1] :][:, : len(module.embed.weight)].detach()


def test_every_look_is_drawn_as_often_as_pictures_have_it():
    shares = [[0.5, 0.3, 0.0, 0.2], [0.0, 0.1, 0.8, 0.1]]
    module, count = told(shares), 20_000
    for label, of_class in enumerate(shares):
        z = torch.randn(count, 4, generator=torch.Generator().manual_seed(label))
        groups = weights(module, z, torch.full((count,), label)).argmax(1) - 4 * label
        for cluster, share in enumerate(of_class):
            # The middle of the blending lies at the edge, so the greater weight is that of z's own cluster.
            # The tolerance is 5 standard deviations of a binomial count.
            assert abs((groups == cluster).sum() - count * share) <= 5 * binom(count, share).std() + 1


def test_split_leads_each_z_to_its_group_and_keeps_its_distribution():
    shares = torch.tensor([[0.5, 0.3, 0.0, 0.2], [0.1, 0.1, 0.7, 0.1]])
    module = told(shares.tolist())
    rng = torch.Generator().manual_seed(0)
    groups = torch.multinomial(shares.flatten(), 20_000, replacement=True, generator=rng)
    z, labels = module.split(torch.randn(20_000, 4, generator=rng), groups)
    assert (labels == groups // 4).all()
    of_group = weights(module, z, labels).gather(1, groups[:, None])
    assert of_group.min() > 0.49, "half of a blending lies on the other side of an edge"
    assert (of_group > 1 - 1e-6).float().mean() > 1 - 4 * BLEND
    last = z[labels == 0, -1]
    # The mean and the variance of 10,000 normal numbers vary by .01 and .014 (one standard deviation).
    assert last.mean().abs() < 0.05
    assert last.var().sub(1).abs() < 0.07


def test_z_decides_continuously():
    module = told([[0.25, 0.25, 0.5]])
    z = torch.zeros(2001, 4)
    z[:, -1] = torch.linspace(-3, 3, 2001)
    shown = weights(module, z, None)
    torch.testing.assert_close(shown.sum(1), torch.ones(2001))
    assert shown[0, 0] == shown[-1, 2] == shown[:, 1].max() == 1
    assert shown.diff(dim=0).abs().max() < 1.1 * (6 / 2000) / BLEND


def test_a_trainer_tells_d_the_groups_and_g_their_shares():
    dataset = tiny_data(count=6 * MIN_MEMBERS)
    trainer = Trainer(tiny_config(clusters=2, conditional=True), dataset, CPU)
    assert (trainer.groups // 2 == dataset.labels).all()
    shares = trainer.groups.bincount(minlength=6).view(3, 2) / dataset.labels.bincount(minlength=3)[:, None]
    assert shares.min() > 0
    torch.testing.assert_close(trainer.G.conditioning.ends.diff(dim=1), shares)
    trainer.advance(3)
    torch.testing.assert_close(trainer.ema.conditioning.ends, trainer.G.conditioning.ends)
    assert trainer.sample_grid().shape == (64, 1, 28, 28)


def test_clusters_need_no_labels():
    images = coloured([40, 40, 40], 32)
    dataset = data.Dataset("colours", images)
    trainer = Trainer(tiny_config(clusters=3, size=32, channels=3), dataset, CPU)
    assert trainer.groups.bincount().tolist() == [40, 40, 40]
    assert all(value == value for value in trainer.advance(2).values())
    assert trainer.sample(torch.randn(5, 6), None).shape == (5, 3, 32, 32)


def test_a_class_of_one_picture_is_a_group_of_its_own():
    groups, shares = find_clusters(coloured([60, 1]), torch.tensor([0] * 60 + [1]), 2, 2, seed=0)
    assert groups[60] == 2
    assert shares[1].tolist() == [1, 0]


def test_a_folder_with_a_class_of_one_picture_trains(tmp_path):
    """A run with clusters, conditional on the folder's classes, trains from the folder to its end."""
    for number in range(31):
        place = tmp_path / "uneven" / ("one" if number == 30 else "big") / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (28, 28), (8 * number, 99, 255 - 8 * number)).save(place)
    settings = [
        "--size",
        "28",
        "--width",
        "8",
        "--z-dim",
        "8",
        "--batch",
        "8",
        "--kimg",
        "0.05",
        "--conditional",
        "--clusters",
        "2",
    ]
    assert main(["--data", str(tmp_path / "uneven"), *settings, "--out", str(tmp_path / "run")]) == 0
    assert read_json(tmp_path / "run" / "status.json")["classes"] == ["big", "one"]
