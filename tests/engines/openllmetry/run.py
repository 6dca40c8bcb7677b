"""The program of ../langgraph with OpenLLMetry, the instrumentation of Traceloop.

Usage: run.py <scenario> <truth file>

default     with prompts and answers
no-content  TRACELOOP_TRACE_CONTENT=false
"""

import os
import pathlib
import runpy
import sys
from contextlib import nullcontext

LANGGRAPH = pathlib.Path(__file__).parent.parent / "langgraph"

if sys.argv[1] == "no-content":
    os.environ["TRACELOOP_TRACE_CONTENT"] = "false"

from opentelemetry.instrumentation.langchain import LangchainInstrumentor  # noqa: E402

sys.path.insert(0, str(LANGGRAPH))
program = runpy.run_path(str(LANGGRAPH / "run.py"))
program["main"]("openllmetry", LangchainInstrumentor(), nullcontext)
