"""Runs engines, and records what they export and what they say about their runs.

Usage: record.py [--environments <folder>] [engine | engine/scenario]...

Each scenario writes two files in samples/: `<engine>-<scenario>.jsonl` has one line of
OTLP/JSON for each request, in the order of their arrival, and `<engine>-<scenario>.truth.json`
has the runs as the engine reports them (see truth.py). Names of this machine and its folders
are replaced.
"""

import argparse
import gzip
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import environments
import otlp_json

SAMPLES = environments.HERE / "samples"
MAX_SAMPLE_BYTES = 200_000

# Attributes whose values describe the recording machine, and the values in the samples.
NEUTRAL_ATTRIBUTES = {
    "host.arch": {"stringValue": "amd64"},
    "host.id": {"stringValue": "0123456789abcdef"},
    "host.name": {"stringValue": "worker-1"},
    "net.host.name": {"stringValue": "worker-1"},
    "process.command": {"stringValue": "app"},
    "process.command_args": {"arrayValue": {"values": [{"stringValue": "app"}]}},
    "process.command_line": {"stringValue": "app"},
    "process.executable.name": {"stringValue": "app"},
    "process.executable.path": {"stringValue": "/usr/bin/app"},
    "process.owner": {"stringValue": "app"},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=pathlib.Path, default=environments.FOLDER, metavar="FOLDER")
    parser.add_argument("names", nargs="*", metavar="engine[/scenario]")
    arguments = parser.parse_args()
    folder = arguments.environments.resolve()
    for engine, scenario in environments.select(arguments.names):
        record(engine, scenario, folder)


def record(engine, scenario, folder):
    print(f"==== {engine}/{scenario}", flush=True)
    command = environments.install(engine, folder)
    with tempfile.TemporaryDirectory() as temporary, Recorder() as recorder:
        truth = pathlib.Path(temporary) / "truth.json"
        log = pathlib.Path(temporary) / "log"
        try:
            environments.run(command, scenario, recorder.url, truth, "", log)
        except subprocess.SubprocessError:
            print(log.read_text()[-5000:])
            raise
        requests, report = recorder.requests, json.loads(truth.read_text())
    if not requests:
        sys.exit(f"{engine}/{scenario} exported nothing")
    neutral = Neutral.of_this_machine(folder, engine)
    name = SAMPLES / f"{engine}-{scenario}"
    lines = [json.dumps(neutral.value(request), ensure_ascii=False) + "\n" for request in requests]
    write_sample(f"{name}.jsonl", "".join(lines))
    report = json.dumps(neutral.value(report), indent=1, ensure_ascii=False)
    write_sample(f"{name}.truth.json", report + "\n")


def write_sample(path, content):
    if len(content.encode()) > MAX_SAMPLE_BYTES:
        sys.exit(f"{path} would have {len(content)} characters; make the scenario smaller")
    pathlib.Path(path).write_text(content)
    print(f"{path}: {len(content)} characters", flush=True)


class Recorder:
    """An OTLP/HTTP endpoint on 127.0.0.1 that keeps all requests for traces.

    Requests for metrics and logs are accepted and dropped.
    """

    def __init__(self):
        self.requests = []
        self.lock = threading.Lock()

    def __enter__(self):
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                recorder.keep(self.path, self.headers, self.read_body())
                self.send_response(200)
                self.send_header("Content-Type", self.headers["Content-Type"])
                # An empty protobuf message; JSON clients accept an empty body, too.
                self.send_header("Content-Length", "0")
                self.end_headers()

            def read_body(self):
                if self.headers["Transfer-Encoding"] != "chunked":
                    return self.rfile.read(int(self.headers["Content-Length"]))
                chunks = []
                while length := int(self.rfile.readline().split(b";")[0], 16):
                    chunks.append(self.rfile.read(length))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(chunks)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def keep(self, path, headers, body):
        if path != "/v1/traces":
            return
        if headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        is_json = headers["Content-Type"].startswith("application/json")
        request = json.loads(body) if is_json else otlp_json.decode_request(body)
        with self.lock:
            self.requests.append(request)


class Neutral:
    """Replaces what identifies the recording machine: its name, its folders, its processes."""

    def __init__(self, replaced):
        # The longest first, because some folders contain others.
        names = sorted(replaced, key=len, reverse=True)
        alternatives = "|".join(re.escape(name) for name in names)
        # Only whole names: a short host name can be a part of an id.
        self.pattern = re.compile(rf"(?<![\w.-])(?:{alternatives})(?![\w-])")
        self.replaced = replaced

    @classmethod
    def of_this_machine(cls, folder, engine):
        return cls({
            str(folder / engine): "/env",
            str(environments.HERE / engine): "/app",
            str(environments.HERE): "/app",
            sys.base_prefix: "/usr",
            str(pathlib.Path.home()): "/home/app",
            socket.gethostname(): "worker-1",
        })  # fmt: skip

    def value(self, value):
        if isinstance(value, str):
            return self.pattern.sub(lambda found: self.replaced[found[0]], value)
        if isinstance(value, list):
            return [self.value(part) for part in value]
        if isinstance(value, dict):
            if value.get("key") in NEUTRAL_ATTRIBUTES:
                return {"key": value["key"], "value": NEUTRAL_ATTRIBUTES[value["key"]]}
            return {key: self.value(part) for key, part in value.items()}
        return value


if __name__ == "__main__":
    main()
