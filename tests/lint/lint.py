"""`make lint`: every check of the code itself, counted like tests."""

import concurrent.futures
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.dirname(HERE))

import layers  # noqa: E402
import text  # noqa: E402
from run import record  # noqa: E402

PKG = ["libmicrohttpd", "libnghttp2", "libssl", "libcrypto", "jansson", "yaml-0.1", "check",
       "libcurl", "sqlite3"]


def listed(*patterns):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT,
                         capture_output=True, text=True, check=True).stdout
    return [f for f in out.splitlines() if os.path.exists(os.path.join(ROOT, f))]


def command(*argv):
    """Problems of a command that is expected to exit with 0."""
    p = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if p.returncode != 0:
        yield from (p.stdout + p.stderr).splitlines() or [f"{argv[0]}: exit {p.returncode}"]


def clang_format():
    yield from command("clang-format", "--dry-run", "-Werror", *listed("*.c", "*.h"))


def cppcheck():
    # It does not know the cleanup attribute, so its leak checks only cry wolf (ASan has the word
    # there); readdir on a stream of one's own is what POSIX recommends today.
    yield from command("cppcheck", "-q", "-j2", "--enable=warning,performance,portability",
                       "--inline-suppr", "--std=c11", "--error-exitcode=1", "--suppress=memleak",
                       "--suppress=resourceLeak", "--suppress=readdirCalled", "--library=posix",
                       "--library=tests/lint/jansson.cfg",
                       "--library=tests/lint/jansson.cfg", "-D_GNU_SOURCE", "-Iemulator",
                       "-Isamples", *listed("emulator/*.c", "samples/*.c"))


def clang_tidy():
    flags = subprocess.run(["pkg-config", "--cflags", *PKG], capture_output=True, text=True,
                           check=True).stdout.split()
    sources = listed("emulator/*.c", "samples/*.c")

    def one(path):
        p = subprocess.run(["clang-tidy", "--quiet", path, "--", "-std=gnu17", "-D_GNU_SOURCE",
                            "-Iemulator", "-Isamples", *flags], cwd=ROOT, capture_output=True,
                           text=True, check=False)
        return [row for row in p.stdout.splitlines() if " error: " in row] if p.returncode else []

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for problems in pool.map(one, sources):
            yield from problems


def clang_build():
    yield from command("make", "-s", "-j2", "CC=clang", "B=build/clang", "all", "test-programs")


def python_compiles():
    yield from command(sys.executable, "-B", "-c",
                       "import ast,sys\nfor f in sys.argv[1:]: ast.parse(open(f).read(), f)",
                       *listed("*.py"))


def shell_parses():
    for script in listed("*.sh", ".ci/run"):
        yield from command("bash", "-n", script)


CHECKS = [
    ("format", clang_format),
    ("layers", lambda: layers.check(ROOT, listed("emulator/*.c", "emulator/*.h"))),
    ("banned", lambda: text.banned(ROOT, listed("*.c", "*.h", "*.py", "*.sh", "*.yaml", "*.md",
                                                "*.go", "*.js", "*.mjs", "Makefile",
                                                "Dockerfile"))),
    ("sizes", lambda: text.sizes(ROOT, listed("*.c", "*.h"))),
    ("python", python_compiles),
    ("shell", shell_parses),
    ("cppcheck", cppcheck),
    ("clang build", clang_build),
    ("clang-tidy", clang_tidy),
]


def main():
    chosen = sys.argv[1:]
    failed = 0
    for name, check in CHECKS:
        if chosen and name not in chosen:
            continue
        problems = list(check())
        failed += bool(problems)
        print(f"lint: {name}: {'ok' if not problems else ''}", flush=True)
        for problem in problems:
            print(f"  {problem}")
    ran = len(chosen) or len(CHECKS)
    record("lint", ran - failed, failed, 0)
    print(f"lint: {ran - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
