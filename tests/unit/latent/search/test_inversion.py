"""Test the search for an image in latent space.

It finds images that the generator drew, and claims no success for images that it can't draw.
"""

import functools
import threading

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from gan.errors import UserError
from gan.latent.catalogue import read_shipped
from gan.latent.generator import Model
from gan.latent.map.sample_bank import CHUNK, SIDE, SampleBank, as_floats, small
from gan.latent.perception import coarse, open_perception, seen_classes
from gan.latent.point import MAX_SEED, Point, parse_at
from gan.latent.sampling import latents
from gan.latent.search.inversion import ALIKE, ALONE, FAVOUR, STARTS, STEPS, Search, starts
from gan.latent.search.inversion_job import InversionJob
from gan.latent.search.jobs import ABREAST, MAX_JOBS, PATIENCE, Jobs
from tests.support.page.browsing import ROOT


@functools.cache
def digits() -> Model:
    return Model(read_shipped("shipped:digits", ROOT / "checkpoints" / "digits"))


@functools.cache
def bank() -> SampleBank:
    digits().bank.grow(1024)
    return digits().bank


def search_for(targets: torch.Tensor) -> Search:
    wanted = seen_classes("digits", targets, 10)
    seeds = starts(bank(), targets, wanted)
    z = torch.stack([torch.from_numpy(latents(row, digits().spec.z_dim)) for row in seeds])
    labels = torch.tensor([[bank().label(seed) for seed in row] for row in seeds])
    return Search(digits().generator, targets, z, labels, open_perception("digits"), wanted=wanted)


class Linear(torch.nn.Module):
    """A generator whose images are z itself, so that the error of a result is exact."""

    def forward(self, z, labels=None):
        return z.unflatten(1, (1, 2, 2))


def test_in_a_linear_generator_the_place_is_exact():
    wanted = torch.tensor([[0.5, -0.25, 0.75, 0.1], [-0.6, 0.3, 0.0, 0.9]])
    search = Search(Linear(), wanted.unflatten(1, (1, 2, 2)), torch.zeros(2, 3, 4), None)
    while not search.done:
        search.step()
    # The slope of an absolute difference does not shrink. The last steps are RATE.top * RATE.last long, and
    # the result is no more exact than that.
    assert (search.found().z - wanted).abs().max() < 0.02
    assert search.found().labels is None
    torch.testing.assert_close(search.nearest, wanted.abs().mean(1) / 2)


def test_generated_pictures_are_found_again():
    points = [Point(MAX_SEED - k) for k in range(6)]
    targets = as_floats(digits().pictures(points))
    search = search_for(targets)
    while not search.done:
        search.step()
    found = search.found()
    assert search.descent.z.shape[1] == 1
    assert found.distance.mean() < 0.02  # 5 of 255 grey values; other samples differ by ten
    assert (found.distance < 0.6 * search.nearest).float().mean() > 0.8
    again = digits().generator(found.z, found.labels)
    torch.testing.assert_close(
        (again - targets).abs().flatten(1).mean(1) / 2, found.distance, atol=1e-4, rtol=0
    )
    assert (found.z.norm(dim=1) / digits().spec.z_dim ** 0.5).max() < 1.3


# the images' labels in MNIST
UNSEEN = "7210414959069015973496654074013134727121174235124463556041957893"


def test_unseen_digits_are_found():
    """The generator has not seen these 64 images of MNIST's test split.

    Their mean distance is .067 to the nearest sample and .032 after a quarter of the steps. The search finds
    62 in their class, and 56 without a hint which class to search.
    """
    with Image.open(ROOT / "tests" / "pictures" / "unseen_digits.webp") as sheet:
        pixels = (
            np.asarray(sheet.convert("L")).reshape(8, 28, 8, 28).transpose(0, 2, 1, 3).reshape(64, 1, 28, 28)
        )
    search = search_for(as_floats(torch.from_numpy(pixels.copy())))
    while search.steps < STEPS / 4:
        search.step()
    assert search.nearest.mean() > 0.06  # the distance that a search has to reduce
    assert search.found().distance.mean() < 0.04
    assert (search.found().labels == torch.tensor(list(map(int, UNSEEN)))).sum() >= 60


def test_the_class_that_is_seen_wins_where_others_are_hardly_nearer():
    targets = torch.tensor([[0.5, 0.5, 0.5, 0.5]]).unflatten(1, (1, 2, 2))
    z = torch.stack([torch.full((4,), 0.5 - 2 * distance) for distance in (0.1, 0.1 / (1 - FAVOUR) - 0.005)])[
        None
    ]
    begin = lambda *wanted: Search(  # noqa: E731
        Linear(), targets, z, torch.tensor([[3, 7]]), wanted=torch.tensor(wanted) if wanted else None
    )
    assert [begin(*wanted).found().labels.item() for wanted in ((), (7,), (-1,))] == [3, 7, 3]
    z[0, 1] -= 0.04
    assert begin(7).found().labels.item() == 3


def test_half_of_the_starts_are_of_the_class_that_is_seen():
    [row] = starts(bank(), as_floats(digits().pictures([Point(5)])), torch.tensor([8]))
    labels = [bank().label(seed) for seed in row]
    assert labels[:ALIKE] == [8] * ALIKE
    assert labels.count(8) == ALIKE
    assert len(set(row)) == STARTS
    assert 5 in row, "the nearest sample of all is there as well"


def test_no_class_is_seen_without_a_net_of_those_classes():
    picture = as_floats(bank().pictures()[:1])
    assert seen_classes("digits", picture, 10).tolist() == [bank().label(0)]
    assert seen_classes("digits", picture, 3) is None
    assert seen_classes("/somewhere/else.zip", picture, 10) is None


def test_what_was_found_never_gets_worse():
    search = search_for(as_floats(digits().pictures([Point(MAX_SEED)])))
    seen = [search.found().distance.item()]
    for _ in range(ALONE + 3):
        search.step()
        seen.append(search.found().distance.item())
    assert seen == sorted(seen, reverse=True)
    assert seen[0] == search.nearest.item()


def test_noise_is_not_found():
    noise = np.random.default_rng(0).integers(0, 256, (1, 28, 28), dtype=np.uint8)
    result = run(InversionJob(digits(), noise))
    assert result["distance"] > 3 * result["spacing"]
    assert result["distance"] > 0.7 * result["nearest"]


def letter(text: str) -> np.ndarray:
    image = Image.new("L", (112, 112))
    ImageDraw.Draw(image).text((28, 14), text, fill=255, font=ImageFont.load_default(80))
    return np.asarray(image.resize((28, 28), Image.LANCZOS))[None].copy()


def test_what_is_near_in_pixels_and_shows_something_else_is_told_apart():
    """The digits net tells letters from digits where pixels do not.

    It sees one part in a hundred between a digit and its result. Between letters and the nearest digits it
    sees a tenth or more. It takes an ampersand itself for an 8, at .995. So an ampersand's result lies only
    just beyond the distances between samples.
    """
    for text, times in (("A", 2), ("E", 2), ("R", 2), ("?", 2), ("&", 1)):
        result = run(InversionJob(digits(), letter(text)))
        assert result["distance"] < result["spacing"], "pixels alone would call it found"
        assert result["seen"] > times * result["likeness"], text
    result = run(InversionJob(digits(), digits().pictures([Point(MAX_SEED)])[0].numpy()))
    assert result["seen"] <= result["likeness"]
    assert result["distance"] <= result["spacing"]


def run(finding: InversionJob, seconds: float = 5.0) -> dict:
    for _ in range(200):
        result = finding.advance(seconds)
        if result["state"] == "done":
            return result
    pytest.fail("it never ends")


def test_a_search_tells_where_it_is_bit_by_bit():
    digits().bank.grow(1024)
    finding = InversionJob(digits(), digits().pictures([Point(MAX_SEED - 9)])[0].numpy())
    result = finding.advance(0)
    assert (result["state"], result["step"], result["of"]) == ("searching", 0, STEPS)
    assert result["distance"] == result["nearest"]
    result = run(finding)
    place = np.array(parse_at({"at": result["at"]}, digits().spec), np.float32)
    label = torch.tensor([result["label"]])
    picture = digits().generator(torch.from_numpy(place)[None], label)
    # `at` is rounded to 1/4096
    assert ((picture - finding.target).abs().mean() / 2).item() == pytest.approx(result["distance"], abs=2e-3)
    assert result["distance"] < result["spacing"]


def test_a_search_ends_in_time(monkeypatch):
    monkeypatch.setattr("gan.latent.search.inversion_job.LIMIT", 0.0)
    result = InversionJob(digits(), digits().pictures([Point(3)])[0].numpy()).advance(0)
    assert (result["state"], result["step"]) == ("done", 0)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_one_colour_is_refused(value):
    with pytest.raises(UserError) as info:
        InversionJob(digits(), np.full((1, 28, 28), value, np.uint8))
    assert info.value.key == "latent.plain_picture"


def test_starts_are_the_nearest_samples_of_more_than_one_class():
    seeds = [5, 300, 801]
    found = starts(bank(), as_floats(digits().pictures([Point(seed) for seed in seeds])))
    assert [row[0] for row in found] == seeds  # the targets are samples of the bank
    for row in found:
        labels = [bank().label(seed) for seed in row]
        assert len(set(row)) == STARTS
        assert max(map(labels.count, labels)) <= ALIKE


def pictures_of(seeds, labels):
    """Return images of one grey value that names the seed, as a generator that takes no time."""
    return torch.tensor(seeds, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 40, 40).contiguous()


def test_a_bank_grows_in_order_and_keeps_small_pictures():
    bank = SampleBank(pictures_of, 0, lambda: coarse, threading.Lock())
    assert bank.grow(40, seconds=-1) == CHUNK, "one chunk at least"
    assert bank.grow(40) == 48
    assert bank.pictures().shape == (48, 1, SIDE, SIDE)
    assert bank.pictures()[:, 0, 0, 0].tolist() == list(range(48))
    assert bank.extract_features(seconds=-1) == CHUNK
    assert bank.extract_features() == 48
    assert bank.features().shape == (48, 256)
    assert bank.spacing() == pytest.approx(1 / 255, rel=1e-4)
    assert small(torch.full((1, 3, 64, 64), 7, dtype=torch.uint8)).shape == (1, 3, 32, 32)


def test_the_eye_of_known_data_tells_classes_and_passes_gradients_on():
    images = as_floats(bank().pictures()[:200])
    features = torch.nn.functional.normalize(open_perception("mnist")(images))
    labels = torch.tensor([bank().label(seed) for seed in range(200)])
    alike = (features @ features.T).fill_diagonal_(-1).argmax(1)
    assert (labels[alike] == labels).float().mean() > 0.85
    colour = torch.rand(2, 3, 40, 40, requires_grad=True)
    open_perception("digits")(colour).sum().backward()
    assert colour.grad.abs().max() > 0
    assert open_perception("/somewhere/else.zip")(colour.detach()).shape == (2, 3 * 16 * 16)


def ask(jobs: Jobs, name: str) -> tuple[object, int]:
    with jobs.asked(name) as turn:
        return turn


def test_work_that_nobody_asks_for_is_let_go():
    now = [0.0]
    jobs = Jobs(clock=lambda: now[0])
    first, second, third = (jobs.add(number) for number in range(ABREAST + 1))
    assert [ask(jobs, name) for name in (first, second, third)] == [(0, 0), (1, 0), (2, 1)]
    now[0] = PATIENCE - 1
    ask(jobs, second)
    with jobs.asked(third):
        now[0] = PATIENCE + 1
        assert len(jobs) == 2, "the first visitor has left"
        with pytest.raises(UserError) as info:
            ask(jobs, first)
        assert info.value.key == "latent.search_over"
    assert ask(jobs, third) == (2, 0)
    jobs.end(second)
    jobs.end("never was")
    assert len(jobs) == 1


def test_an_answer_that_takes_long_costs_the_visitor_nothing():
    now = [0.0]
    jobs = Jobs(clock=lambda: now[0])
    slow = jobs.add("slow")
    with jobs.asked(slow):
        now[0] = 10 * PATIENCE
        assert len(jobs) == 1
    now[0] += PATIENCE - 1
    assert ask(jobs, slow) == ("slow", 0)
    with pytest.raises(ZeroDivisionError), jobs.asked(slow):
        1 / 0  # noqa: B018
    now[0] += PATIENCE + 1
    assert len(jobs) == 0, "nor does one that failed stay for ever"


def test_a_poll_that_waits_or_is_refused_keeps_its_job():
    now = [0.0]
    jobs = Jobs(clock=lambda: now[0])
    found = jobs.add("found")
    for _ in range(3):
        now[0] += PATIENCE - 1
        with jobs.kept(found):
            now[0] += 10 * PATIENCE
    assert ask(jobs, found) == ("found", 0)
    with jobs.kept("nobody"):
        assert len(jobs) == 1


def test_there_is_an_end_to_work():
    jobs = Jobs()
    for _ in range(MAX_JOBS):
        jobs.add(None)
    with pytest.raises(UserError) as info:
        jobs.add(None)
    assert info.value.key == "ui.busy"
