"""Runs test programs in parallel and counts: `run.py --variant release unit PROGRAM...`,
`run.py integration`, `run.py clients`, `run.py --total`. Output of what passed is not shown."""

import argparse
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULTS = os.path.join(ROOT, "build", "results")
LIMIT_S = 600  # of one program; a hanging test must not hang the run


def run(name, argv, count):
    """Runs one program; returns (name, passed, failed, skipped, output, seconds)."""
    began = time.monotonic()
    p = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        out = p.communicate(timeout=LIMIT_S)[0].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        out = p.communicate()[0].decode("utf-8", "replace") + f"\n{name}: killed after {LIMIT_S} s"
    passed, failed, skipped = count(out)
    if p.returncode != 0 and failed == 0:
        failed = 1
    return name, passed, failed, skipped, out, time.monotonic() - began


def count_check(out):
    rows = re.findall(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", out, re.M)
    total = sum(int(r[0]) for r in rows)
    bad = sum(int(r[1]) + int(r[2]) for r in rows)
    return total - bad, bad, 0


def count_unittest(out):
    ran = re.findall(r"^Ran (\d+) tests? in", out, re.M)
    total = int(ran[-1]) if ran else 0
    last = re.findall(r"^(?:OK|FAILED)(?: \((.*)\))?$", out, re.M)
    parts = dict(re.findall(r"(\w+)=(\d+)", last[-1])) if last else {}
    bad = int(parts.get("failures", 0)) + int(parts.get("errors", 0))
    skipped = int(parts.get("skipped", 0))
    return total - bad - skipped, bad, skipped


def jobs_of(stage, programs, match):
    if stage == "unit":
        return [(os.path.basename(p), [p], count_check) for p in programs]
    files = sorted(glob.glob(os.path.join(ROOT, "tests", stage, f"{match}*.py")))
    names = [os.path.basename(f)[:-3] for f in files]
    return [(n, [sys.executable, "-B", "-m", "unittest", "-v", f"tests.{stage}.{n}"],
             count_unittest) for n in names]


def show(result):
    name, passed, failed, skipped, out, seconds = result
    for reason in sorted(set(re.findall(r"skipped ['\"](.*)['\"]$", out, re.M))):
        print(f"  {name}: skipped: {reason}")
    if failed:
        print(f"---- {name}: {failed} failed, {passed} passed\n{out}----", flush=True)
    elif os.environ.get("V"):
        print(f"  {name}: {passed} passed in {seconds:.1f} s", flush=True)


def run_stage(variant, stage, programs, match):
    passed = failed = skipped = 0
    began = time.monotonic()
    workers = max(2, os.cpu_count() or 1)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(run, *job) for job in jobs_of(stage, programs, match)]
        for done in concurrent.futures.as_completed(running):
            result = done.result()
            show(result)
            passed += result[1]
            failed += result[2]
            skipped += result[3]
    record(f"{stage} ({variant})", passed, failed, skipped)
    print(f"{stage} ({variant}): {passed} passed, {failed} failed, {skipped} skipped "
          f"in {time.monotonic() - began:.0f} s", flush=True)
    return failed == 0 and passed > 0


def record(name, passed, failed, skipped):
    os.makedirs(RESULTS, exist_ok=True)
    with open(os.path.join(RESULTS, re.sub(r"\W+", "-", name)), "w", encoding="utf-8") as f:
        f.write(f"{passed} {failed} {skipped}\n")


def total():
    sums = [0, 0, 0]
    for path in glob.glob(os.path.join(RESULTS, "*")):
        with open(path, encoding="utf-8") as f:
            for i, n in enumerate(f.read().split()):
                sums[i] += int(n)
    print(f"{sums[0]} passed, {sums[1]} failed, {sums[2]} skipped", flush=True)
    return sums[1] == 0 and sums[0] > 0


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--variant", default="release")
    p.add_argument("--total", action="store_true")
    p.add_argument("--match", default="test_", help="beginning of the files' names")
    p.add_argument("stage", nargs="?", choices=["unit", "integration", "clients"])
    p.add_argument("programs", nargs="*")
    a = p.parse_args()
    # Check's four seconds are for a hang; a slow machine needs more for what is not one.
    os.environ.setdefault("CK_TIMEOUT_MULTIPLIER", "5" if a.variant == "release" else "10")
    ok = total() if a.total else run_stage(a.variant, a.stage, a.programs, a.match)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
