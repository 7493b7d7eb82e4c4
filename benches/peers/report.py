"""RESULTS.md out of results.json."""

import programs


def render(results, rows, agree):
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    parts = [HEAD, f"Versions: {versions}.\n"]
    present = [row for row in rows if row.id in results["rows"]]
    parts.append(bars(results, present))
    parts.append(agreement(results["agreement"], agree))
    parts += [table(results, row, different(results["agreement"], row.work, agree)) for row in present]
    return "\n".join(parts)


COLD = "start to end of first epoch, s"
HEAD = """# Seedbed beside its peers

Written by `benches/peers/run.py`; `benches/peers/README.md` says what each program does and what the numbers leave out.
An epoch counts shuffling, gathering, training and metrics; the first of a run is not counted. Median, least and most are
over the repeats (each the median of its epochs), which took turns with the other programs. "× Seedbed" is the program's
median divided by Seedbed's: above 1, Seedbed is faster.
"""


def entries(results, row):
    """Per program of a row, its summary; the derived ones too, from the rows they rest on."""
    found = dict(results["rows"][row.id]["programs"])
    for derived in row.derived:
        source = results["rows"].get(derived.row, {}).get("programs", {}).get(derived.program, {})
        if "median" in source:
            found[derived.name] = {key: source[key] * derived.factor for key in ("median", "min", "max")}
            found[derived.name]["derived"] = True
        else:
            found[derived.name] = {"error": f"needs row {derived.row}"}
    return found


def median(found, name):
    return found.get(name, {}).get("median")


def table(results, row, strangers):
    head = results["rows"][row.id]
    found = entries(results, row)
    base = median(found, row.baseline)
    lines = [
        f"## {row.id}: {row.title}\n",
        f"{head['machine']}; threads: {row.threads}; epochs counted: {head['epochs'] - 1}; repeats: {head['repeats']};",
        f"{head['date']}; load average before: {head['load_before']:.1f}\n",
        f"| program | s an epoch | least–most | × {row.baseline} | runs | compiling, s | {COLD} | peak MB | accuracy |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    ordered = sorted(found.items(), key=lambda item: item[1].get("median", float("inf")))
    marked = [(name + " (computes something else!)" * (name in strangers), entry) for name, entry in ordered]
    return "\n".join(lines + [table_line(name, entry, base) for name, entry in marked]) + "\n"


def table_line(name, entry, base):
    if "error" in entry:
        return f"| {name} | not run: {entry['error'].replace('|', '/')} | | | | | | | |"
    ratio = f"{entry['median'] / base:.2f}" if base else ""
    times = f"| {name} | {entry['median']:.4g} | {entry['min']:.4g}–{entry['max']:.4g} | {ratio} "
    if "derived" in entry:
        return times + "| reckoned | | | | |"
    accuracy = entry["runs"][0]["epochs"][-1]["accuracy"]
    return (
        times + f"| {len(entry['runs'])} | {entry['compile_seconds']:.1f} | {entry['first_epoch_done']:.1f} "
        f"| {entry['peak_megabytes']:.0f} | {accuracy:.4f} |"
    )


def bars(results, rows):
    lines = ["## Bars\n", "| row | bar | measured | |", "|---|---|--:|---|"]
    for row in rows:
        found = entries(results, row)
        lines += [bar_line(row, bar, found) for bar in row.bars]
        if row.slowest:
            lines.append(slowest_line(row, found))
    return "\n".join(lines) + "\n"


def bar_line(row, bar, found):
    ours = median(found, programs.SEEDBED)
    if bar.peer is None:
        return verdict(row, f"≤ {bar.seconds} s an epoch", ours, "s", ours is not None and ours <= bar.seconds)
    peers = {name: entry["median"] for name, entry in found.items() if "median" in entry and name != programs.SEEDBED}
    name = min(peers, key=peers.get, default=None) if bar.peer == programs.FASTEST else bar.peer
    ratio = peers[name] / ours if ours and name in peers else None
    words = f"≥ {bar.factor}× {bar.peer}" + (f" ({name})" if name and name != bar.peer else "")
    return verdict(row, words, ratio, "×", ratio is not None and ratio >= bar.factor)


def slowest_line(row, found):
    base = median(found, row.baseline)
    ratios = {name: entry["median"] / base for name, entry in found.items() if base and "median" in entry}
    worst = max(ratios, key=ratios.get, default=None)
    words = f"every choice ≤ {row.slowest}× {row.baseline}" + (f" (slowest: {worst})" if worst else "")
    return verdict(row, words, ratios.get(worst), "×", worst is not None and ratios[worst] <= row.slowest)


def verdict(row, words, value, unit, met):
    if value is None:
        return f"| {row.id} | {words} | | not measured |"
    return f"| {row.id} | {words} | {value:.3g} {unit} | {'met' if met else 'not met'} |"


def agreement(works, agree):
    """First-epoch losses side by side."""
    lines = [
        "## Do they compute the same?\n",
        "Mean loss of the first epoch: same starting weights, batches in the order of the files, no dropout. The reference",
        f"is Keras + TensorFlow, or plain JAX; within {agree:g} of it counts as the same.\n",
        "| work | pictures | program | loss | relative difference | |",
        "|---|--:|---|--:|--:|---|",
    ]
    for work, checked in works.items():
        reference = reference_loss(works, work)
        for name, epoch in checked["losses"].items():
            lines.append(f"| {work} | {checked['samples']} | {name} " + agreement_cells(epoch, reference, agree))
    return "\n".join(lines) + "\n"


def reference_loss(works, work):
    """The lesson's for a study: without shuffling each of its seeds repeats the lesson."""
    losses = works.get("lesson" if work == "study" else work, {"losses": {}})["losses"]
    for name in (programs.KERAS_TF, programs.JAX):
        if "loss" in losses.get(name, {}):
            return losses[name]["loss"]
    return None


def relative(epoch, reference):
    return abs(epoch["loss"] - reference) / reference


def agreement_cells(epoch, reference, agree):
    if "error" in epoch:
        return f"| | | not run: {epoch['error'].replace('|', '/')} |"
    if reference is None:
        return f"| {epoch['loss']:.6f} | | no reference |"
    difference = relative(epoch, reference)
    return f"| {epoch['loss']:.6f} | {difference:.1e} | {'same' if difference <= agree else 'DIFFERENT'} |"


def different(works, work, agree):
    """Names of the programs whose loss is not the reference's."""
    reference = reference_loss(works, work)
    losses = works.get(work, {"losses": {}})["losses"]
    known = {name: epoch for name, epoch in losses.items() if reference and "loss" in epoch}
    return {name for name, epoch in known.items() if not relative(epoch, reference) <= agree}
