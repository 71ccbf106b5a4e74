"""The results, as Markdown for people and JSON for programs."""

import json
import statistics

import data
import distance

FIGURES = [("load", "rows"), ("index", "indexes"), ("ready", "staging ready"),
           ("client", "client, core-s"), ("server", "server, core-s")]


def markdown(runs):
    machine = runs["machine"]
    lines = [
        f"# {runs['date']}: sterna compared",
        "",
        f"`{runs['command']}`",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}; load average before: {runs['load_average_before']}.",
        ", ".join(f"{name} {version}" for name, version in runs["versions"].items()) + ".",
        "Server: " + ", ".join(f"{k} = {v}" for k, v in runs["server_settings"].items()) + ".",
        "",
    ]
    for name, about in runs["inputs"].items():
        lines.append(f"- {name}: {about['rows']:,} records in {about['files']} files, "
                     f"{about['bytes'] / 1e6:.1f} MB; {about['rows_loaded']:,} are loaded")
    if "distances" in runs:
        rate = f", {runs['mbps']:g} Mbit/s per connection" if runs["mbps"] else ""
        lines += ["", f"Medians of {runs['rounds']} alternating rounds by round trip to the server{rate}:", ""]
        return "\n".join([*lines, *distance.table(runs)]) + "\n"
    lines += ["", f"Medians of {runs['rounds']} alternating rounds, in seconds (least - greatest):", ""]
    lines += ["| | " + " | ".join(title for _, title in FIGURES) + " | peak memory |",
              "|---|" + "---|" * (len(FIGURES) + 1)]
    for name, contender in runs["contenders"].items():
        cells = [spread(contender["rounds"], figure) for figure, _ in FIGURES]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {peak(contender['rounds'])} |")
    lines += ["", "Ratios within each round:", "", "| | median | least - greatest | target | |",
              "|---|---|---|---|---|"]
    for ratio in runs["ratios"]:
        most = ratio["target"]
        verdict = "" if most is None else ("met" if ratio["median"] <= most else "missed")
        lines.append(f"| {ratio['name']} | **{ratio['median']:.2f}** | {ratio['min']:.2f} - "
                     f"{ratio['max']:.2f} | {'' if most is None else f'at most {most}'} | {verdict} |")
    filtering = runs["contenders"].get("sterna, filtering")
    if filtering:
        most = max(run["peak_memory_bytes"] for run in filtering["rounds"])
        limit = runs["memory_limit_bytes"]
        lines.append(f"| world: peak memory | **{most >> 20} MiB** | | below {limit >> 20} MiB | "
                     f"{'met' if most < limit else 'missed'} |")
    lines += ["", "Commands:", ""]
    lines += [f"- {name}: `{contender['command']}`" for name, contender in runs["contenders"].items()]
    lines += [f"- {name}: {reason}" for name, reason in runs["skipped"].items()]
    lines += ["", "sterna's `rows` is its `load_seconds` (first byte read to last batch committed); "
              "its `staging ready` is the wall-clock time of the whole process, including hashing the "
              "input. psql and pgloader are measured as whole processes; DuckDB and ADBC without their "
              "startup. Core-seconds are those of everything in the line: up to `staging ready` where "
              "it has a figure, else of the rows."]
    return "\n".join(lines) + "\n"


def spread(rounds, figure):
    values = [run[figure] for run in rounds if figure in run]
    if not values:
        return ""
    return f"{statistics.median(values):.3f} ({min(values):.3f} - {max(values):.3f})"


def peak(rounds):
    values = [run["peak_memory_bytes"] for run in rounds if "peak_memory_bytes" in run]
    return f"{max(values) >> 20} MiB" if values else ""


def show(runs):
    print(markdown(runs), end="")


def save(runs, name):
    folder = data.ROOT / "benches" / "runs"
    folder.mkdir(exist_ok=True)
    stem = f"{runs['date']}-{name}"
    (folder / f"{stem}.json").write_text(json.dumps(runs, indent=2) + "\n", encoding="utf-8")
    (folder / f"{stem}.md").write_text(markdown(runs), encoding="utf-8")
