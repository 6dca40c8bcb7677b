"""Checks for yanked crates and for known vulnerabilities of the dependencies.

Usage: check_advisories.py CARGO_DENY PIP_AUDIT

Each check needs a registry or a database. If it is unreachable, the check is skipped and reported
as skipped. A finding fails. So a run without a network passes, and shows the skipped checks.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOCK_FILES = ["Cargo.lock", "fuzz/Cargo.lock"]
NODE_PROJECTS = ["console/tests", "writers/typescript"]
PYTHON_REQUIREMENTS = [".ci/requirements.txt", ".ci/writer-requirements.txt"]
ADVISORY_DATABASE = "https://github.com/RustSec/advisory-db"

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
UNREACHABLE = [
    "audit endpoint returned an error",
    "Could not resolve host",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ConnectionError",
    "failed to download",
    "failed to fetch",
    "failed to query replaced source registry",
    "attempting to make an HTTP request, but --offline",
]


class Unreachable(Exception):
    """A registry or a database cannot be reached."""


def run(*command, cwd=ROOT):
    """Runs a program. Returns its status and its whole output."""
    done = subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    return done.returncode, done.stdout


def require_success(status, printed):
    if status == 0:
        return
    reasons = [line for line in printed.splitlines() if any(it in line for it in UNREACHABLE)]
    if reasons:
        raise Unreachable(reasons[0].strip())
    raise SystemExit(printed)


def check_yanked(lock_file):
    """Makes cargo resolve the exact versions of a lock file without that lock file. It refuses a
    yanked version and names it."""
    packages = tomllib.loads((ROOT / lock_file).read_text(encoding="utf-8"))["package"]
    crates = [package for package in packages if package.get("source") == CRATES_IO]
    lines = ["[package]", 'name = "locked"', 'version = "0.0.0"', 'edition = "2024"', "", "[lib]"]
    lines += ['path = "lib.rs"', "", "[dependencies]"]
    for number, crate in enumerate(crates):
        package, version = crate["name"], crate["version"].partition("+")[0]
        wanted = f'package = "{package}", version = "={version}", default-features = false'
        lines.append(f"crate-{number} = {{ {wanted} }}")
    with tempfile.TemporaryDirectory() as folder:
        manifest = pathlib.Path(folder, "Cargo.toml")
        manifest.write_text("\n".join(lines) + "\n\n[workspace]\n", encoding="utf-8")
        pathlib.Path(folder, "lib.rs").touch()
        require_success(*run("cargo", "generate-lockfile", cwd=folder))
    return f"none of the {len(crates)} crates was yanked"


def check_rust_advisories(cargo_deny):
    try:
        status, _ = run("git", "ls-remote", "--quiet", ADVISORY_DATABASE, "HEAD")
    except OSError as error:
        raise Unreachable(str(error)) from None
    if status != 0:
        raise Unreachable(f"{ADVISORY_DATABASE} cannot be reached")
    require_success(*run(cargo_deny, "check", "advisories"))
    return "no advisory applies"


def check_node(project):
    require_success(*run("npm", "audit", cwd=ROOT / project))
    return "no advisory applies"


def check_python(pip_audit, requirements):
    status, printed = run(
        pip_audit, "--requirement", requirements, "--no-deps", "--disable-pip", "--format", "json"
    )
    found = printed[printed.find('{"dependencies"') :].splitlines()
    if not found or not found[0].startswith("{"):
        require_success(status, printed)
        raise SystemExit(printed)
    dependencies = json.loads(found[0])["dependencies"]
    if any(dependency.get("vulns") for dependency in dependencies):
        raise SystemExit(printed)
    skipped = [dependency["name"] for dependency in dependencies if "skip_reason" in dependency]
    if skipped:
        raise Unreachable(f"PyPI has no data about {', '.join(skipped)}")
    return "no advisory applies"


def main():
    cargo_deny, pip_audit = sys.argv[1:]
    checks = [(f"Yanked crates of {file}", check_yanked, file) for file in LOCK_FILES]
    checks.append(("Advisories of the crates", check_rust_advisories, cargo_deny))
    checks += [(f"Advisories of {project}", check_node, project) for project in NODE_PROJECTS]
    checks += [
        (f"Advisories of {file}", lambda file: check_python(pip_audit, file), file)
        for file in PYTHON_REQUIREMENTS
    ]
    for name, check, subject in checks:
        try:
            print(f"{name}: {check(subject)}")
        except (Unreachable, subprocess.TimeoutExpired) as reason:
            print(f"{name}: SKIPPED, not checked: {reason}")


if __name__ == "__main__":
    main()
