"""What the numbers were measured with: processor, memory, versions."""

import importlib.metadata
import os
import pathlib
import platform
import subprocess
import tomllib

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGES = ("keras", "tensorflow-cpu", "jax", "jaxlib", "torch", "numpy")
CRATES = {"burn": "burn", "candle": "candle-core"}


def describe():
    """One line: processor, its widest vectors, cores, memory, system."""
    first = pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    pairs = [line.split(":", 1) for line in first.splitlines() if ":" in line]
    info = {key.strip(): value.strip() for key, value in pairs}
    flags = info.get("flags", "").split()
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "no AVX2"
    family = f"family {info.get('cpu family')} model {info.get('model')}"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    name = info.get("model name", platform.processor())
    return f"{name} ({family}, {vectors}), {cores} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def versions(seedbed):
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "absent"
    for peer, crate in CRATES.items():
        lock = tomllib.loads((HERE / peer / "Cargo.lock").read_text())
        found[peer] = next(package["version"] for package in lock["package"] if package["name"] == crate)
    found["Rust"] = said("rustc", "--version").removeprefix("rustc ")
    commit = said("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    found["Seedbed"] = f"{said(str(seedbed), '--version').removeprefix('seedbed ')} (commit {commit})"
    return found


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
