"""Transforms a SAM template offline in the same way as AWS, and checks the result.

Usage: transform_template.py [template.yaml]

It checks for mistakes that the linters accept: an answer that stays buffered, a method
without the authorizer, an error that is not JSON.
"""

import collections
import copy
import json
import logging
import os
import pathlib
import sys

import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

# It warns that an internal toggle of AWS is not configured, which is correct here.
logging.getLogger("samtranslator.feature_toggle").setLevel(logging.ERROR)

# The only function that works without a token.
OPEN = "ConsoleFunction"

ERROR_FIELDS = ["success", "error", "code", "message", "requestId"]


# Values of an operator that differ from the defaults.
OVERRIDES = {
    "Tracing": "Active",
    "AllowedOrigins": "https://ops.example.com",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
    "DomainName": "runs.example.com",
    "CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
    "MaxReadUnits": "1000",
    "SetUpApiGatewayLogs": "false",
    "StepFunctionsStateMachines": "orders-*",
}


def transform(template, overrides=()):
    template = copy.deepcopy(template)
    # The translator accepts only uploaded code.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    parameters = {
        name: parameter["Default"]
        for name, parameter in template.get("Parameters", {}).items()
        if "Default" in parameter
    }
    parameters |= dict(overrides)
    # The translator needs a region, but sends no requests.
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    # The template has no managed policies, so none are passed.
    translator = Translator({}, Parser())
    return translator.translate(template, parameter_values=parameters)


def api_events(template):
    """Yields the function and the properties of each API event."""
    for name, resource in template["Resources"].items():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == "Api":
                yield name, event["Properties"]


def check_methods(events, body):
    for function, event in events:
        method = body["paths"][event["Path"]][event["Method"].lower()]
        integration = method["x-amazon-apigateway-integration"]
        is_streamed = integration.get("responseTransferMode") == "STREAM"
        asks_for_stream = "ResponseTransferMode" in event
        assert is_streamed == asks_for_stream, (
            f"{function}: set ResponseTransferMode to RESPONSE_STREAM, or remove it"
        )
        uri = json.dumps(integration["uri"])
        assert ("response-streaming-invocations" in uri) == is_streamed, uri
        is_open = event.get("Auth", {}).get("Authorizer") == "NONE"
        assert is_open == (function == OPEN), f"{function}: only {OPEN} may be open without a token"
        assert is_open == (method["security"] == [{"NONE": []}]), method["security"]


def check_gateway_responses(body):
    responses = body["x-amazon-apigateway-gateway-responses"]
    for name, response in responses.items():
        text = response["responseTemplates"]["application/json"]
        fields = json.loads(text)
        assert list(fields) == ERROR_FIELDS, f"{name}: {text}"
        assert fields["success"] is False, f"{name}: {text}"
        assert fields["requestId"] == "$context.requestId", f"{name}: {text}"
    return responses


def main():
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "template.yaml")
    template = yaml.safe_load(path.read_text(encoding="utf-8"))
    events = list(api_events(template))
    assert events, "the template has no API events"

    transform(template, OVERRIDES)
    resources = transform(template)["Resources"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            mode = resource["Properties"]["TracingConfig"]["Mode"]
            assert mode == {"Fn::If": ["IsTraced", "Active", "PassThrough"]}, f"{name}: {mode}"
    [body] = [
        resource["Properties"]["Body"]
        for resource in resources.values()
        if resource["Type"] == "AWS::ApiGateway::RestApi"
    ]
    check_methods(events, body)
    responses = check_gateway_responses(body)

    counts = collections.Counter(resource["Type"] for resource in resources.values())
    for kind, count in sorted(counts.items()):
        print(f"{count:3} {kind}")
    print(
        f"{len(resources)} resources, {len(events)} routes, "
        f"{len(responses)} gateway responses"
    )


if __name__ == "__main__":
    main()
