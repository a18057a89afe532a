#!/usr/bin/env python3
"""Proves the CUDA operators on a machine with an NVIDIA card.

Needs nvcc (CUDA 12 or 13), CMake, a C++ compiler and what the C++ side needs (README). PyTorch, where it is
installed with CUDA, is measured beside them; compute-sanitizer runs where it is found.

    python3 scripts/card.py
        builds the kernels, runs their tests on the card, once more under compute-sanitizer, and times them against
        copies within the card and against the published formulation in PyTorch

    python3 scripts/card.py --onnxruntime libonnxruntime.so.1 nafnet.local.onnx
        besides runs converted networks (one float32 image in) through ONNX Runtime's CUDA provider, whose libraries lie
        beside the one named, and compares with the CPU

Prints what it does, then the tables. Exits with 1 when anything failed.
"""

import argparse
import csv
import io
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPP = ROOT / "cpp"
BUILD = CPP / "build" / "card"
KERNELS = [
    "channel_normalization",
    "depthwise_conv",
    "local_average_pool",
    "local_group_normalization",
    "local_instance_normalization",
    "local_windows",
    "replicate_scale",
]
# Races and what is read before it is written show at any size: the large ones would take an hour.
SANITIZER_FILTER = "-*Large*:*2160*:*3840*"


class Failure(Exception):
    pass


def say(text):
    print(f"card: {text}", flush=True)


def run(command, **options):
    """Runs a command with its output shown. Raises Failure unless it exits with 0."""
    shown = " ".join(map(str, command))
    say(shown)
    outcome = subprocess.run(list(map(str, command)), **options)
    if outcome.returncode != 0:
        raise Failure(f"{shown} failed with exit code {outcome.returncode}")
    return outcome


def read_table(command):
    """The rows of tab-separated values that a command prints."""
    output = run(command, stdout=subprocess.PIPE, text=True).stdout
    return list(csv.DictReader(io.StringIO(output), delimiter="\t"))


def build():
    # Where npm run setup has put what the C++ side needs.
    prefix = ROOT / ".tools" / "native" / "usr"
    definitions = [f"-DCMAKE_PREFIX_PATH={prefix}"] if prefix.exists() else []
    run(["cmake", "--preset", "card", *definitions], cwd=CPP)
    jobs = str(os.cpu_count() or 2)
    run(["cmake", "--build", "--preset", "card", "--parallel", jobs], cwd=CPP)


def test():
    run(["ctest", "--preset", "card"], cwd=CPP)


def sanitize_kernel(tool, kernel):
    test_file = BUILD / f"{kernel}_cuda_test"
    # Lack of memory is among what the tests bring about.
    sanitizer = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "1"]
    if tool == "memcheck":
        sanitizer += ["--report-api-errors", "no"]
    run([*sanitizer, test_file, f"--gtest_filter={SANITIZER_FILTER}", "--gtest_brief=1"])


def sanitize():
    if shutil.which("compute-sanitizer") is None:
        say("compute-sanitizer was not found: left out")
        return
    # The processor is what takes the time: one test executable on each core, as far as they go.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for tool in ["memcheck", "racecheck", "synccheck", "initcheck"]:
            list(pool.map(lambda kernel: sanitize_kernel(tool, kernel), KERNELS))


def import_torch():
    try:
        import torch
    except ImportError:
        return None
    return torch if torch.cuda.is_available() else None


def published_mean(torch, x, window):
    """The means of the windows as the published layers compute them: sums along both axes, differences of slices."""
    height, width = x.shape[-2:]
    rows, columns = min(window, height), min(window, width)
    sums = torch.nn.functional.pad(x.cumsum(dim=-1).cumsum_(dim=-2), (1, 0, 1, 0))
    corners = sums[..., rows:, columns:] + sums[..., :-rows, :-columns]
    means = (corners - sums[..., :-rows, columns:] - sums[..., rows:, :-columns]) / (rows * columns)
    down, across = height - means.shape[-2], width - means.shape[-1]
    # Half of what is missing in front, the rest behind.
    sides = (across // 2, across - across // 2, down // 2, down - down // 2)
    return torch.nn.functional.pad(means, sides, mode="replicate")


def published_normalization(torch, x, window):
    mean = published_mean(torch, x, window)
    variance = published_mean(torch, x * x, window) - mean * mean
    return (x - mean) / (variance + 1e-5).sqrt()


PUBLISHED = {
    "LocalAveragePool": published_mean,
    "LocalInstanceNormalization": published_normalization,
}


def time_published(torch, row):
    """Milliseconds of the published formulation on the shape of a row of card_bench, or None."""
    layer = PUBLISHED.get(row["operator"])
    if layer is None:
        return None
    shape = [int(side) for side in row["shape"].split("x")]
    x = torch.rand(shape, device="cuda", dtype=getattr(torch, row["type"]))
    times = []
    for _ in range(11):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        layer(torch, x, int(row["window"]))
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    # The first one loads kernels.
    return sorted(times[1:])[5]


def card_name():
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        return subprocess.run(query, stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "unknown card"


def print_table(headings, rows):
    print()
    print("| " + " | ".join(headings) + " |")
    print("|" + " --- |" * len(headings))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def bench():
    rows = read_table([BUILD / "card_bench"])
    torch = import_torch()
    if torch is None:
        say("PyTorch with CUDA was not found: left out")
    single = {(row["operator"], row["shape"]): float(row["ms"]) for row in rows if row["type"] == "float32"}
    table = []
    for row in rows:
        took, copy = float(row["ms"]), float(row["copy_ms"])
        published = time_published(torch, row) if torch else None
        table.append(
            [
                row["operator"],
                f"{row['shape']}, {row['window']}",
                row["type"],
                f"{took:.3f} ms",
                f"{copy / took:.0%}",
                "" if published is None else f"{published / took:.1f}",
                "" if row["type"] == "float32" else f"{single[row['operator'], row['shape']] / took:.2f}",
            ]
        )
    print(f"\n{card_name()}")
    headings = ["operator", "shape, window", "type", "time", "of a copy's bandwidth"]
    print_table([*headings, "× faster than PyTorch", "× faster than float32"], table)


def check_networks(runtime, size, models, tolerance):
    for model in models:
        libraries = [BUILD / "libtlsc_ops.so", BUILD / "libtlsc_ops_cuda.so"]
        rows = read_table([BUILD / "network_check", runtime, *libraries, model, *size])
        print(f"\n{Path(model).name}, {size[0]} × {size[1]}, {card_name()}")
        headings = ["runs", "time", "largest distance to the CPU"]
        print_table(headings, [[row["runs"], f"{row['ms']} ms", row["distance"]] for row in rows])
        for row in rows:
            if not float(row["distance"]) <= tolerance:
                raise Failure(f"{model}: {row['runs']} lies {row['distance']} from the CPU")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", help="converted networks")
    parser.add_argument("--onnxruntime", help="file of the ONNX Runtime library that runs them")
    parser.add_argument("--size", default="720x1280", help="height and width of the image (default: %(default)s)")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="(default: %(default)s)")
    options = parser.parse_args()
    if bool(options.models) != bool(options.onnxruntime):
        parser.error("networks and --onnxruntime go together")
    size = options.size.split("x")
    if len(size) != 2 or not all(side.isdigit() for side in size):
        parser.error("--size is HEIGHTxWIDTH")
    stages = [
        test,
        bench,
        lambda: check_networks(options.onnxruntime, size, options.models, options.tolerance),
        sanitize,
    ]
    failures = []
    try:
        build()
        for stage in stages:
            # Whatever failed, the rest may tell why.
            try:
                stage()
            except Failure as failure:
                say(f"failed: {failure}")
                failures.append(failure)
    except (Failure, OSError) as error:
        failures.append(error)
    if failures:
        for failure in failures:
            say(f"failed: {failure}")
        sys.exit(1)
    say("all passed")


if __name__ == "__main__":
    main()
