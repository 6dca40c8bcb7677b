"""The program of ../openai with the older instrumentation opentelemetry-instrumentation-openai-v2.

Usage: run.py <scenario> <truth file>

default       the conventions 1.30, without prompts and answers
experimental  newer conventions, with prompts and answers in the spans
"""

import os
import pathlib
import runpy
import sys

OPENAI = pathlib.Path(__file__).parent.parent / "openai"

if sys.argv[1] == "experimental":
    # The instrumentation reads these variables when it is imported.
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "span_only"

from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

sys.path.insert(0, str(OPENAI))
program = runpy.run_path(str(OPENAI / "run.py"))
program["main"]("openai-v2", OpenAIInstrumentor)
