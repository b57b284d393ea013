"""Is a model file that was flipped, cut or swapped ever scored with?

Over and over a file of a stored model is damaged at random and a partition is scored with that model: bits flipped,
ends and spans cut off, parts within it swapped, the file swapped with that of another model or with another file of the
same one, all files but the manifest swapped. What must happen is a refusal before anything of it is parsed.

    python -m tests.bench.tamper_study --cases 10000
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import parcels

from updraft import features, score
from updraft.errors import ModelRejected
from updraft.lake import Lake
from updraft.life import train
from updraft.partition import calendar
from updraft.spec.model import UseCase

AT = "2024-01-18"
Files = dict[str, bytes]


def damaged(draw: random.Random, files: Files, others: Sequence[Files]) -> tuple[str, Files]:
    """Some kind of damage to a model's files, and the files that differ after it."""
    name = draw.choice(sorted(files))
    content, other = files[name], draw.choice(others)
    kind = draw.choice(["flip", "cut", "cut out", "swap parts", "swap files", "swap models", "swap all"])
    a, b = sorted(draw.sample(range(len(content) + 1), 2))
    if kind == "flip":
        changed = bytearray(content)
        for _ in range(draw.randint(1, 8)):
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        after = {name: bytes(changed)}
    elif kind == "cut":
        after = {name: draw.choice([content[:a], content[b:]])}
    elif kind == "cut out":
        after = {name: content[:a] + content[b:]}
    elif kind == "swap parts":
        after = {name: content[b:] + content[a:b] + content[:a]}
    elif kind == "swap files":
        partner = draw.choice(sorted(files))
        after = {name: files[partner], partner: content}
    elif kind == "swap models":
        after = {name: other.get(name) or draw.choice(sorted(other.values()))}
    else:
        after = {each: other.get(each, files[each]) for each in files if each != "manifest.json"}
    return kind, {each: new for each, new in after.items() if new != files[each]}


def study(case: UseCase, lake: Lake, key: str, models: Sequence[str], cases: int, seed: int = 1) -> Counter[str]:
    """Damage, score, restore; count refusals by kind of damage, and what was `scored` all the same."""
    stored = {model: _files(lake, case, model) for model in models}
    draw, counted = random.Random(seed), Counter[str]()
    while counted.total() < cases:
        model = draw.choice(models)
        kind, after = damaged(draw, stored[model], [files for other, files in stored.items() if other != model])
        if not after:  # a swap of equal files
            continue
        _put(lake, case, model, after)
        try:
            score.partitions(case, [key], lake, champion=model, rescore=True)
        except ModelRejected:
            counted[kind] += 1
        else:
            counted["scored"] += 1
        _put(lake, case, model, {name: stored[model][name] for name in after})
    for model in models:
        score.partitions(case, [key], lake, champion=model, rescore=True)  # sound files are scored with
    return counted


def _folder(case: UseCase, model: str) -> str:
    return f"models/{case.name}/{model}"


def _files(lake: Lake, case: UseCase, model: str) -> Files:
    return {place.rpartition("/")[2]: lake.get(place) for place in lake.keys(_folder(case, model))}


def _put(lake: Lake, case: UseCase, model: str, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        lake.put(f"{_folder(case, model)}/{name}", content)


def lived(folder: Path) -> tuple[UseCase, Lake, list[str]]:
    """A small use case with a model of each family."""
    case, lake = parcels.write(folder), Lake(str(folder / "lake"))
    keys = calendar(case).keys("2024-01-01", AT)
    parcels.deliver(case, lake, keys)
    features.build(case, keys, lake)
    made = train.fit(case, calendar(case).at(AT), lake, code_version="study", who="study")
    return case, lake, [made.candidate, *made.baselines.values()]


def main() -> None:
    """Run the study and print one line per kind of damage."""
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--cases", type=int, default=10_000)
    said.add_argument("--seed", type=int, default=1)
    asked = said.parse_args()
    with TemporaryDirectory() as folder:
        case, lake, models = lived(Path(folder))
        begun = time.perf_counter()
        counted = study(case, lake, AT, models, asked.cases, asked.seed)
    print(f"{counted.total()} damaged models of {len(models)} families, {time.perf_counter() - begun:.0f} s")
    for kind, count in sorted(counted.items()):
        print(f"  {kind:12} {count:6} {'SCORED' if kind == 'scored' else 'refused'}")
    print(f"{counted['scored']} scored")


if __name__ == "__main__":
    main()
