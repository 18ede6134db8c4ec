"""Write the report of a run: one HTML file for paper and screen, which needs no network and no script."""

from bisect import bisect_left
from pathlib import Path
from typing import Any, NamedTuple

from gan.config import Settings
from gan.export.report import curves, facts, grids
from gan.export.report.curves import Curve
from gan.export.report.facts import Setting
from gan.export.report.statistics import rows
from gan.export.report.words import Words
from gan.files import read_object
from gan.kinds import DEFAULT
from gan.runs.curves import Buckets
from gan.worker.run_dir import read_config

STYLE = Path(__file__).resolve().parents[2] / "web" / "report" / "report.css"
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class History(NamedTuple):
    """The points of a run's curves, decimated by gan.runs.curves, and the last line of its statistics."""

    images: list[float]
    steps: list[float]
    values: dict[str, list[float | None]]
    last: dict[str, Any]

    def curve(self, name: str, factor: float = 1) -> list[float | None]:
        """Return a statistic at the points, multiplied by a factor; None where it has no value."""
        found = self.values.get(name, [None] * len(self.images))
        return [None if value is None else factor * value for value in found]


def report(run_dir: Path, words: Words) -> bytes:
    """Return the report of a run of any kind, in any state, as UTF-8 HTML of at most about 1.5 MB.

    Raises UserError for a folder that holds no run.
    """
    config, status = read_config(run_dir), read_object(run_dir / "status.json")
    history, title = _read(run_dir), facts.title(words, run_dir, config, status.get("number"))
    parts = [
        _head(words, run_dir, config, status, title),
        _section(words, "report.samples", _samples(words, run_dir, config, history)),
        _section(words, "report.curves", _curves(words, config, history)),
        _section(words, "report.scores", _scores(words, run_dir, history)),
        _section(words, "report.settings", _settings(words, config)),
        _section(words, "report.events", _timeline(words, run_dir, status)),
        _section(words, "report.origins", _origins(words, run_dir, config)),
    ]
    return _document(words, title, "\n".join(parts)).encode()


def _document(words: Words, title: str, body: str) -> str:
    """Return the HTML file around the sections."""
    return f"""<!doctype html>
<html lang="{words.lang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="GANarium">
<title>{title} · GANarium</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
{body}
<footer>
<p>{words.text("report.mark")}</p>
<div class="signed"><span>{words.text("report.name")}</span><span>{words.text("report.date")}</span></div>
</footer>
</main>
</body>
</html>
"""


def _section(words: Words, key: str, content: str) -> str:
    """Return a section with its heading, "" without content."""
    return f"<section>\n<h2>{words.text(key)}</h2>\n{content}\n</section>" if content else ""


def _read(run_dir: Path) -> History:
    buckets, last = Buckets(curves.POINTS), {}
    for row in rows(run_dir):
        buckets.add(row)
        last = row
    points = buckets.to_json()
    return History(points["axes"]["images"], points["axes"]["step"], points["values"], last)


def _head(words: Words, run_dir: Path, config: Settings, status: dict[str, Any], title: str) -> str:
    """Return the title, the state and the figures. The data stand below a title that a person chose."""
    named = facts.read_name(run_dir) is not None
    of = f"{facts.data_name(words, config)} · {facts.recipe_name(words, config)}" if named else ""
    sentences = " ".join(facts.state(words, status))
    figures = "".join(
        f"<div><dt>{label}</dt><dd>{value}</dd></div>"
        for label, value in facts.figures(words, status, config)
    )
    return f"""<header>
<p class="kicker">GANarium · {words.text("report.title")}</p>
<h1>{title}</h1>
{f'<p class="of">{of}</p>' if of else ""}
<p class="state">{sentences}</p>
<dl class="figures">{figures}</dl>
</header>"""


def _samples(words: Words, run_dir: Path, config: Settings, history: History) -> str:
    """Return the sheets with the number of images at each."""
    ending = "" if config.kind == DEFAULT else f"_{config.kind}"
    figures = []
    for grid in grids.choose(run_dir):
        told = words.text(f"report.after{ending}", images=_images_at(history, grid.step), step=grid.step)
        figures.append(
            f'<figure><img src="{grid.address}" width="{grid.width}" height="{grid.height}" alt="{told}">'
            f"<figcaption>{told}</figcaption></figure>"
        )
    about = words.text(f"report.samples_help{ending}")
    return f'<p>{about}</p>\n<div class="sheets">{"".join(figures)}</div>' if figures else ""


def _images_at(history: History, step: int) -> int:
    """Return the number of images at a step, by the statistics around it."""
    place = bisect_left(history.steps, step)
    if step == 0 or not history.steps:
        return 0
    if place == len(history.steps):
        place -= 1
    return round(history.images[place] * step / max(1, history.steps[place]))


def _curves(words: Words, config: Settings, history: History) -> str:
    """Return the charts of the losses, of the diversity, and of the modes where they are counted."""
    text = words.texts
    charts = {
        "losses": [Curve("D", "d", history.curve("loss_d")), Curve("G", "g", history.curve("loss_g"))],
        "diversity": [Curve(text["report.diversity"], "v", history.curve("diversity", 100))],
        "modes": [Curve(text["report.modes"], "v", history.curve("modes"))],
    }
    unit = text["report.axis" if config.kind == DEFAULT else f"report.axis_{config.kind}"]
    figures = []
    for name, drawn in charts.items():
        chart = curves.draw(history.images, drawn, text[f"report.{name}"], unit)
        if chart is None:
            continue
        legend = "".join(f'<span class="{curve.style}">{words.shown(curve.name)}</span>' for curve in drawn)
        note = words.text(f"report.{name}_help") + (words.text("report.cut") if chart.cut else "")
        figures.append(
            f'<figure class="chart"><h3>{words.text(f"report.{name}")}</h3>'
            f"{f'<p class=legend>{legend}</p>' if len(drawn) > 1 else ''}"
            f"{chart.svg}<figcaption>{note}</figcaption></figure>"
        )
    return "\n".join(figures)


def _scores(words: Words, run_dir: Path, history: History) -> str:
    found, about = facts.scores(words, run_dir, history.last)
    if not found:
        return ""
    figures = "".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in found)
    return f'<dl class="figures">{figures}</dl>\n<p>{about}</p>'


def _settings(words: Words, config: Settings) -> str:
    """Return a table of the settings that matter, and a list of the others."""
    main, rest = facts.settings(words, config)
    compared = any(row.usual for row in main)
    lines = "".join(_line(row, compared) for row in main)
    others = "".join(f"<div><dt>{one.label}</dt><dd>{one.value}</dd></div>" for one in rest)
    columns = ("setting", "value", "usual") if compared else ("setting", "value")
    heads = "".join(f"<th>{words.text(f'report.{name}')}</th>" for name in columns)
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>\n"
        f'<h3>{words.text("report.others")}</h3>\n<dl class="others">{others}</dl>'
    )


def _line(row: Setting, compared: bool) -> str:
    """Return a row of the table. compared: whether it has a column for the recipe's own values."""
    changed = ' class="changed"' if row.usual else ""
    usual = f"<td>{row.usual}</td>" if compared else ""
    return f"<tr{changed}><th>{row.label}</th><td>{row.value}</td>{usual}</tr>"


def _timeline(words: Words, run_dir: Path, status: dict[str, Any]) -> str:
    told = facts.timeline(words, run_dir, status.get("created"))
    lines = "".join(f"<tr><td>{time}</td><td>{sentence}</td></tr>" for time, sentence in told)
    return f'<table class="events"><tbody>{lines}</tbody></table>'


def _origins(words: Words, run_dir: Path, config: Settings) -> str:
    rows = "".join(
        f"<div><dt>{label}</dt><dd>{value}</dd></div>"
        for label, value in facts.origins(words, run_dir, config)
    )
    return f'<dl class="origins">{rows}</dl>'
