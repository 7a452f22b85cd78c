"""What bench.py measured, as text with tables (Markdown) and as a picture (SVG)."""

import math


def cell(value, form="{:.2f}"):
    return "–" if value is None else form.format(value)


def table(head, rows):
    rows = list(rows)
    columns = list(zip(head, *rows))
    widths = [max(len(c) for c in column) for column in columns]
    lines = ["| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))) + " |"
             for row in [head, *rows]]
    lines.insert(1, "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|")
    return "\n".join(lines) + "\n"


# Single costs: what micro.c calls them, and what they are.
MICRO = {
    "instantiate-1MB-us": "instantiation, 1 MB of data, µs",
    "instantiate-10MB-us": "… 10 MB",
    "instantiate-10MB-median-us": "… … the median",
    "instantiate-10MB-first-us": "… … the first, which makes the image",
    "instantiate-100MB-us": "… 100 MB",
    "instance-touched-KiB": "a thousand instances of 10 MB, each read as a whole, one page written: KiB each",
    "call-guest-ns": "call from host to guest, ns",
    "call-host-ns": "call from guest to host in a loop, ns",
    "throw-ns": "throw, and catch one frame above, ns",
    "throw-10-frames-ns": "… eleven frames above",
    "fill-GB/s": "memory.fill of 1 MiB, GB/s",
    "fill-over-memset": "… its time ÷ memset's",
    "copy-GB/s": "memory.copy of 1 MiB, GB/s",
    "copy-over-memmove": "… its time ÷ memmove's",
    "grow-page-us": "memory.grow by one page, µs",
    "gc-alloc-ns": "struct.new of 32 bytes that die at once, ns",
    "gc-keep-ns": "… of a million that live",
    "gc-alloc-beside-1M-ns": "… that die, beside the million that live",
    "malloc-ns": "(malloc and free of 32 bytes in C)",
    "gc-allocations": "allocations in each of these runs",
    "gc-collections": "collections",
    "gc-heap-peak-MiB": "heap, at most MiB",
    "gc-pause-p50-us": "pauses beside a million that live: median, µs",
    "gc-pause-max-us": "… the longest",
}


def summary(options, names, results):
    case, base, kernels = next((c for c in results.loads if results.loads[c]), ""), options.base, options.mean
    rows = [[n, cell(results.geomean(n, base, results.minimum, kernels)), cell(results.geomean(n, base, results.median, kernels)),
             cell(results.worst(n, base, kernels)), cell(results.geomean(n, "native", results.minimum, kernels), "{:.1f}"), cell(results.spread(n), "{:.0%}"), cell(results.startup(n)),
             cell(results.empty[n]["memory"], "{:.1f}"), cell(results.load_per_mb(case, n), "{:.1f}"),
             cell(results.loads.get(case, {}).get(n, {}).get("memory"), "{:.0f}")] for n in names]
    rows.sort(key=lambda row: float(row[1]) if row[1] != "–" else math.inf)
    return table(["engine", f"mean ÷ {base}", "of medians", "worst kernel", "mean ÷ native", "spread", "start-up ms", "empty MiB",
                  f"load {case} ms/MB".replace("  ", " "), "MiB"], rows)


def text(options, engines, results, machine, judged):
    base, names = options.base, [e.name for e in engines if e.name in results.empty]
    lines = ["# Speed", "",
             f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; kernels built by {machine['compiler']}; {machine['when']}, "
             f"commit {machine['commit'] or 'unknown'}; rounds: {options.rounds}, interleaved, {machine['minutes']} minutes in all; "
             f"load average before it {machine['load']}" + (". **Small sizes (--quick): a smoke test, not a measurement**" if options.quick else "")
             + ". What the figures mean is in README.md beside the benchmark.", ""]
    lines += [f"- {e.name}: {e.version or 'version unknown'}" for e in engines]
    lines += ["", "## In one table", "", f"Kernels: geometric means over {', '.join(options.mean)}; start-up: an empty module over an empty C program; load: CPU time for each MB of code.", "",
              summary(options, names, results)]

    for title, kind in (("Bars: what must hold", "bars"), ("Goals: what is aimed at", "goals")):
        if all(value is None for _, value, _ in judged[kind]):
            continue
        words = {"bars": ("holds", "**missed**"), "goals": ("reached", "not yet")}[kind]
        lines += [f"## {title}", "", table(["measure", "value", ""], [
            [what, cell(value, "{:.3f}"), words[not holds] if value is not None else "not measured"] for what, value, holds in judged[kind]])]

    lines += ["## Kernels: CPU seconds, minimum of the rounds", "", table(["kernel", *names], [
        [k, *[cell(results.minimum(k, n), "{:.3f}") for n in names]] for k in options.kernels])]
    for reference in dict.fromkeys(n for n in (base, "native") if n in names):
        for title, figure in (("minima", results.minimum), ("medians", results.median)):
            rows = [[k, *[cell(results.ratios(n, reference, [k], figure).get(k)) for n in names]] for k in options.kernels]
            rows.append(["**geometric mean**", *[cell(results.geomean(n, reference, figure, options.mean)) for n in names]])
            lines += [f"## Kernels: time relative to {reference}, {title}", "", table(["kernel", *names], rows)]
    rows = [["spread", *[cell(results.spread(n), "{:.0%}") for n in names]]]
    lines += ["## Spread: (maximum − minimum) ÷ minimum, the median of the kernels", "", table(["", *names], rows)]

    rows = [[n, cell(e["wall"] * 1e3), cell(e["wall_median"] * 1e3), cell(e["cpu"] * 1e3), cell(results.startup(n)), cell(e["memory"])]
            for n, e in results.empty.items()]
    lines += ["## Start-up: an empty module (native: an empty C program)", "",
              table(["engine", "wall ms, min", "median", "CPU ms", "over C, ms", "peak MiB"], rows)]

    for case, figures in results.loads.items():
        rows = [[n, cell(f["cpu"]), cell(f["wall"]), cell(f["memory"], "{:.0f}"), cell(results.load_per_mb(case, n), "{:.1f}")] for n, f in figures.items()]
        lines += [f"## Load: {case}, {results.sizes[case]:.1f} MB of code", "", table(["engine", "CPU s", "wall s", "peak MiB", "CPU ms per MB"], rows)]

    if results.micro:
        lines += ["## Single costs of minivm", "", table(["what", "least"], [
            [what, cell(results.micro[key], "{:.3g}" if results.micro[key] < 1000 else "{:.0f}")] for key, what in MICRO.items() if key in results.micro])]
    if results.failures:
        lines += ["## Left out", ""] + [f"- {key}: {reason}" for key, reason in results.failures.items()] + [""]
    return "\n".join(lines)


# The picture

COLOURS = {"native": "#9aa0a6", "own": "#d9480f", "variant": "#f0a57f", "peer": "#1c6dd0", "slow": "#1c6dd0", "compiler": "#5f8f3e"}
GREY = "#5f6368"


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def chart(title, note, rows, at, width, form):
    """Horizontal bars on a logarithmic axis: rows of (name, colour, value, dots). Returns the lines of SVG and the height."""
    rows = sorted((r for r in rows if r[2]), key=lambda r: r[2])
    if not rows:
        return [], 0
    values = [v for _, _, value, dots in rows for v in [value, *dots.values()]]
    low, high = math.log10(min(values)) - .15, math.log10(max(values)) + .05
    (left, top), step = at, 24
    start, top = left + 104, top + 50
    width, bottom = width - 104 - 52, top + step * len(rows)

    def x(value):
        return start + width * (math.log10(value) - low) / (high - low)

    out = [f'<text x="{left}" y="{top - 28}" font-size="15" font-weight="600">{escape(title)}</text>',
           f'<text x="{left}" y="{top - 11}" fill="{GREY}" font-size="11">{escape(note)}</text>']
    for tick in [m * 10.0 ** e for e in range(-3, 4) for m in ((1, 2, 5) if high - low < 2 else (1,))]:
        if low <= math.log10(tick) <= high:
            out += [f'<line x1="{x(tick):.1f}" y1="{top}" x2="{x(tick):.1f}" y2="{bottom}" stroke="{GREY if tick == 1 and rows[0][3] else "#e3e5e8"}"/>',
                    f'<text x="{x(tick):.1f}" y="{bottom + 13}" text-anchor="middle" fill="{GREY}" font-size="10">{tick:g}</text>']
    for index, (name, colour, value, dots) in enumerate(rows):
        y = top + step * index + 5
        out += [f'<text x="{start - 7}" y="{y + 11}" text-anchor="end">{escape(name)}</text>',
                f'<rect x="{start}" y="{y}" width="{x(value) - start:.1f}" height="{step - 10}" fill="{colour}" opacity=".6"/>']
        out += [f'<circle cx="{x(v):.1f}" cy="{y + (step - 10) / 2}" r="2.4" fill="{colour}"><title>{escape(k)} {v:.2f}</title></circle>'
                for k, v in dots.items()]
        furthest = max([value, *dots.values()])
        out.append(f'<text x="{x(furthest) + 6:.1f}" y="{y + 11}" font-weight="600">{form.format(value)}</text>')
    return out, 50 + step * len(rows) + 30


def picture(options, engines, results, machine):
    base = options.base

    def rows(figure, dots=lambda name: {}):
        return [(e.name, COLOURS[e.kind], figure(e.name), dots(e.name)) for e in engines]

    case = next((c for c in results.loads if results.loads[c]), None)
    out, height = chart(f"Time relative to {base}, less is better", f"bar: geometric mean of the kernels; dots: each kernel; minima of {options.rounds} rounds",
                        rows(lambda n: results.geomean(n, base, results.minimum, options.mean), lambda n: results.ratios(n, base, options.kernels)), (16, 0), 960, "{:.2f}")
    charts = [("Start-up", "ms over an empty C program", rows(lambda n: results.startup(n) and max(results.startup(n), .01)), "{:.2f}"),
              ("Memory", "peak MiB of an empty module", rows(lambda n: results.empty.get(n, {}).get("memory")), "{:.1f}"),
              (f"Load: {case}", "CPU ms for each MB of code", rows(lambda n: results.load_per_mb(case, n)), "{:.1f}")]
    tallest = 0
    for index, (title, note, values, form) in enumerate(charts):
        more, size = chart(title, note, values, (16 + 325 * index, height), 320, form)
        out, tallest = out + more, max(tallest, size)
    height += tallest + 24
    if not out:
        return None
    foot = f'{machine["cpu"]}, {machine["when"]}' + (", small sizes: not a measurement" if options.quick else "")
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 {height}" font-family="system-ui, sans-serif" font-size="12">',
                      f'<rect width="1000" height="{height}" fill="#fff"/>', *out,
                      f'<text x="16" y="{height - 10}" fill="{GREY}" font-size="11">{escape(foot)}</text>', "</svg>", ""])
