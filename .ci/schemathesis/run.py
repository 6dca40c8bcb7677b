"""Holds a live server to its description: run.py <flowtrail> [option of schemathesis]...

The server has an empty table of its own, which goes with it.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent


def main():
    program, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as data:
        serve = [program, "serve", "--no-demo", "--data", data, "--port", "0", "--table-port", "0"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
            try:
                url = address(server.stdout)
                status = check(url, token(program, data), options)
            finally:
                server.terminate()
    sys.exit(status)


def address(lines):
    for line in lines:
        if found := re.match(r" +HTTP API +(\S+)", line):
            return found[1]
    sys.exit("the server has ended")


def token(program, data):
    create = [program, "token", "create", "--team", "default", "--role", "admin", "--data", data]
    return subprocess.run(
        create, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()[-1]


def check(url, token, options):
    command = [
        pathlib.Path(sys.executable).with_name("schemathesis"),
        "run", f"{url}/openapi.json",
        "--url", url,
        "--header", f"Authorization: Bearer {token}",
        "--checks", "all",
        "--generation-deterministic",
        "--continue-on-failure",
        *options,
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
    return subprocess.run(command, env=environment).returncode


if __name__ == "__main__":
    main()
