"""Runs the same work in Seedbed and its peers, interleaved, and writes RESULTS.md and results.json.

    SEEDBED_DATA=/folder/with/mnist python run.py                    # everything
    SEEDBED_DATA=/folder/with/mnist python run.py --quick            # the three rows that matter most, few peers
    SEEDBED_DATA=/folder/with/mnist python run.py --only wide,conv --repeats 3

Rows that are not run keep what results.json holds. README.md says how long it takes and how to set the peers up.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import machine
import programs
import report

AGREE = 1e-3  # relative difference of first-epoch losses
SLOW = 60.0  # seconds an epoch, from which one run must do
TIMEOUT = 3600.0
QUICK = ("lesson", "study", "dense")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rows, with commas between")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="at most 3 repeats of 3 epochs of lesson, study, dense; few peers")
    parser.add_argument("--seedbed", type=pathlib.Path, default=machine.ROOT / "target" / "release" / "seedbed")
    parser.add_argument("--built", type=pathlib.Path, default=programs.HERE / "target", help="the compiled peers")
    parser.add_argument("--output", type=pathlib.Path, default=programs.HERE.parent, help="folder of RESULTS.md")
    given = parser.parse_args()
    if given.quick:
        given.repeats = min(given.repeats, 3)
    return given


def chosen_rows(given):
    everything = programs.rows(given.seedbed, given.built)
    known = [row.id for row in everything]
    wanted = given.only.split(",") if given.only else QUICK if given.quick else known
    unknown = set(wanted) - set(known)
    if unknown:
        raise SystemExit(f"expected rows out of {', '.join(known)}; received {', '.join(sorted(unknown))}")
    return [row for row in everything if row.id in wanted]


def run_once(program, row, *, epochs, check=False):
    """One process from start to end: its lines, peak memory, time to the end of the first epoch; or `error`."""
    command = [*program.command, "--work", row.work, "--epochs", str(epochs), "--threads", str(row.threads)]
    if row.seeds > 1:
        command += ["--seeds", str(row.seeds)]
    if check:
        command += ["--check"]
        if row.samples_of_check != 60_000:
            command += ["--samples", str(row.samples_of_check)]
    if not os.access(program.command[0], os.X_OK):
        return {"error": "not built"}
    run = {"epochs": []}
    with tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        watchdog = threading.Timer(TIMEOUT, process.kill)
        watchdog.start()
        for line in process.stdout:
            read_line(run, line, time.perf_counter() - start)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        watchdog.cancel()
        if process.returncode != 0 or len(run["epochs"]) != epochs:
            errors.seek(0)
            return {"error": complaint(errors.read(), process.returncode)}
    run["peak_megabytes"] = usage.ru_maxrss / 1024
    return run


def read_line(run, line, since_start):
    try:
        fields = json.loads(line)
    except json.JSONDecodeError:
        return  # a framework talking
    if "compile_seconds" in fields:
        run["compile_seconds"] = fields["compile_seconds"]
    elif "epoch" in fields:
        run.setdefault("first_epoch_done", since_start)
        run["epochs"].append(fields)


def complaint(text, code):
    """The line of stderr that says most: one that begins with `error`, or the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    line = errors[0] if errors else lines[-1] if lines else f"ended with {code}, saying nothing"
    return line.replace(str(machine.ROOT), "")[:160]


def progress(*words):
    print(*words, file=sys.stderr, flush=True)


def agreement(row, selected):
    """First-epoch loss in the order of the files, without dropout, per program."""
    losses = {}
    for program in selected:
        run = run_once(program, row, epochs=1, check=True)
        losses[program.name] = {"error": run["error"]} if "error" in run else run["epochs"][0]
        progress(f"check {row.work:9} {program.name:28}", losses[program.name].get("loss", run.get("error")))
    return losses


def measure(row, selected, epochs, repeats):
    """Round-robin over the programs, so that a disturbance of the machine meets all of them."""
    runs = {program.name: [] for program in selected}
    given_up = {}
    for repeat in range(repeats):
        for program in selected:
            if program.name in given_up or too_slow(runs[program.name]):
                continue
            run = run_once(program, row, epochs=epochs)
            if "error" in run:
                given_up[program.name] = run["error"]
                progress(f"{row.id:9} {repeat + 1}/{repeats} {program.name:28} not run: {run['error']}")
                continue
            runs[program.name].append(run)
            progress(f"{row.id:9} {repeat + 1}/{repeats} {program.name:28} {epoch_seconds(run):.4f} s")
    return {
        program.name: {"error": given_up[program.name]} if program.name in given_up else summary(runs[program.name])
        for program in selected
    }


def epoch_seconds(run):
    """Median over the epochs but the first."""
    return statistics.median(epoch["seconds"] for epoch in run["epochs"][1:])


def too_slow(runs):
    return bool(runs) and epoch_seconds(runs[0]) > SLOW


def summary(runs):
    seconds = [epoch_seconds(run) for run in runs]
    middle = lambda name: statistics.median(run.get(name, 0.0) for run in runs)  # noqa: E731
    return {
        "median": statistics.median(seconds),
        "min": min(seconds),
        "max": max(seconds),
        "compile_seconds": middle("compile_seconds"),
        "first_epoch_done": middle("first_epoch_done"),
        "peak_megabytes": middle("peak_megabytes"),
        "runs": runs,
    }


def main():
    given = arguments()
    if "SEEDBED_DATA" not in os.environ:
        raise SystemExit("expected SEEDBED_DATA to name a folder with mnist/*.gz; it is not set")
    rows = chosen_rows(given)
    path = given.output / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {"rows": {}, "agreement": {}}
    checked = set()
    for row in rows:
        selected = [program for program in row.programs if program.quick or not given.quick]
        if row.baseline == programs.SEEDBED and row.work not in checked:
            checked.add(row.work)
            results["agreement"][row.work] = {"samples": row.samples_of_check, "losses": agreement(row, selected)}
        epochs = 3 if given.quick else row.epochs
        began = {"date": time.strftime("%Y-%m-%d"), "load_before": os.getloadavg()[0], "machine": machine.describe()}
        measured = measure(row, selected, epochs, given.repeats)
        results["rows"][row.id] = {**began, "epochs": epochs, "repeats": given.repeats, "programs": measured}
        results["versions"] = machine.versions(given.seedbed)
        path.write_text(json.dumps(results, indent=1) + "\n")
        text = report.render(results, programs.rows(given.seedbed, given.built), AGREE)
        (given.output / "RESULTS.md").write_text(text)
    progress(f"written: {given.output / 'RESULTS.md'}, {path}")


main()
