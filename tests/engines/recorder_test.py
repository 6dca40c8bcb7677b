"""Tests of the recorder and of its samples. Run: python3 tests/engines/recorder_test.py"""

import gzip
import json
import re
import unittest
import urllib.request

import environments
import otlp_json
from record import MAX_SAMPLE_BYTES, SAMPLES, Neutral, Recorder

# One span with each kind of value, as the protobuf package of OpenTelemetry encodes it.
REQUEST = bytes.fromhex(
    "0ad90112d60112d3010a1001010101010101010101010101010101120802020202020202021a03613d622a02c3a9"
    "30023900000000000000804101000000000000004a080a017312030a01784a070a0162120210004a100a0169120b"
    "18fbffffffffffffffff014a0e0a0164120921000000000000f8bf4a080a017912033a01ff4a0b0a016c12062a04"
    "0a0218014a110a016d120c320a0a080a016b12030a01765a0c0907000000000000001201656a1c0a100303030303"
    "0303030303030303030303120804040404040404047a0712036261641802850101010000"
)
SPAN = {
    "traceId": "01" * 16,
    "spanId": "02" * 8,
    "traceState": "a=b",
    "name": "é",
    "kind": 2,
    "startTimeUnixNano": str(2**63),
    "endTimeUnixNano": "1",
    "attributes": [
        {"key": "s", "value": {"stringValue": "x"}},
        {"key": "b", "value": {"boolValue": False}},
        {"key": "i", "value": {"intValue": "-5"}},
        {"key": "d", "value": {"doubleValue": -1.5}},
        {"key": "y", "value": {"bytesValue": "/w=="}},
        {"key": "l", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}},
        {"key": "m", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}}},
    ],
    "events": [{"timeUnixNano": "7", "name": "e"}],
    "links": [{"traceId": "03" * 16, "spanId": "04" * 8}],
    "status": {"message": "bad", "code": 2},
    "flags": 257,
}
DECODED = {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}


def send(url, body, content_type, **headers):
    headers |= {"Content-Type": content_type}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        return answer.status


class RecorderTest(unittest.TestCase):
    def test_protobuf_becomes_otlp_json(self):
        self.assertEqual(otlp_json.decode_request(REQUEST), DECODED)

    def test_an_unknown_field_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "Request has the unknown field 15"):
            otlp_json.decode_request(b"\x78\x01")

    def test_requests_are_kept_in_their_order(self):
        with Recorder() as recorder:
            traces = f"{recorder.url}/v1/traces"
            send(traces, REQUEST, "application/x-protobuf")
            send(f"{recorder.url}/v1/metrics", b"\x01", "application/x-protobuf")
            compressed = gzip.compress(b'{"resourceSpans": []}')
            send(traces, compressed, "application/json", **{"Content-Encoding": "gzip"})
            # An iterator is sent in chunks.
            send(traces, iter([REQUEST[:9], REQUEST[9:]]), "application/x-protobuf")
        self.assertEqual(recorder.requests, [DECODED, {"resourceSpans": []}, DECODED])

    def test_only_whole_names_are_replaced(self):
        neutral = Neutral({"vm": "worker-1", "/home/ada": "/home/app", "/home/ada/env": "/env"})
        for text, expected in [
            ("gen7@vm", "gen7@worker-1"),
            ("the id is 3vmQ", "the id is 3vmQ"),
            ('File "/home/ada/env/lib/x.py"', 'File "/env/lib/x.py"'),
            ("file:///home/ada/x.mjs:3", "file:///home/app/x.mjs:3"),
            ("/home/adam", "/home/adam"),
        ]:
            self.assertEqual(neutral.value(text), expected)

    def test_attributes_of_the_machine_get_neutral_values(self):
        attribute = {"key": "host.name", "value": {"stringValue": "anything"}}
        expected = {"key": "host.name", "value": {"stringValue": "worker-1"}}
        self.assertEqual(Neutral({"vm": "x"}).value([attribute]), [expected])


STATUSES = {"PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "SKIPPED"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class SamplesTest(unittest.TestCase):
    def test_each_scenario_has_its_samples_and_no_other_exists(self):
        names = {f"{engine}-{scenario}" for engine, scenario in environments.select([])}
        expected = {f"{name}{ending}" for name in names for ending in (".jsonl", ".truth.json")}
        self.assertEqual({path.name for path in SAMPLES.iterdir()}, expected)

    def test_samples_are_short_and_contain_spans(self):
        for path in SAMPLES.glob("*.jsonl"):
            self.assertLessEqual(path.stat().st_size, MAX_SAMPLE_BYTES, path)
            for line in path.read_text().splitlines():
                [first, *_] = json.loads(line)["resourceSpans"]
                self.assertRegex(first["scopeSpans"][0]["spans"][0]["traceId"], "^[0-9a-f]{32}$")

    def test_truth_has_the_common_form(self):
        for path in SAMPLES.glob("*.truth.json"):
            document = json.loads(path.read_text())
            self.assertEqual(path.name, f"{document['engine']}-{document['scenario']}.truth.json")
            for run in document["runs"]:
                self.assertTrue(run["flow"], path)
                for one in [run, *run["steps"]]:
                    self.assertIn(one["status"], STATUSES, path)
                    for time in filter(None, (one.get("start"), one.get("end"))):
                        self.assertRegex(time, TIME)
                for step in run["steps"]:
                    self.assertTrue(step["name"], path)


if __name__ == "__main__":
    unittest.main()
