"""A server with the chat API of OpenAI, which gives prepared answers."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOOL_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "find_order", "arguments": '{"order_id": "o-1"}'},
}


def answer(request):
    """Calls the tool, unless its result is the last message."""
    last = request["messages"][-1]
    calls_tool = last["role"] == "user" and "tools" in request
    message = {"role": "assistant", "content": None if calls_tool else "It is packed."}
    if calls_tool:
        message["tool_calls"] = [TOOL_CALL]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": f"{request['model']}-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "tool_calls" if calls_tool else "stop",
            }
        ],
        "usage": {"prompt_tokens": 40, "completion_tokens": 8, "total_tokens": 48},
    }


def chunks(request):
    """Streams an answer of two words."""
    head = {"id": "chatcmpl-2", "object": "chat.completion.chunk", "created": 1_700_000_000}
    head["model"] = f"{request['model']}-2024-07-18"
    for delta, reason in [
        ({"role": "assistant", "content": "It is "}, None),
        ({"content": "packed."}, None),
        ({}, "stop"),
    ]:
        yield head | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    usage = {"prompt_tokens": 30, "completion_tokens": 4, "total_tokens": 34}
    yield head | {"choices": [], "usage": usage}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "embeddings" in self.path:
            vector = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
            usage = {"prompt_tokens": 5, "total_tokens": 5}
            body = {"object": "list", "data": vector, "model": request["model"], "usage": usage}
            return self.send(200, "application/json", json.dumps(body))
        if request["model"] == "busy":
            error = {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}
            return self.send(429, "application/json", json.dumps(error))
        if request.get("stream"):
            events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks(request)]
            return self.send(200, "text/event-stream", "".join(events) + "data: [DONE]\n\n")
        return self.send(200, "application/json", json.dumps(answer(request)))

    def send(self, status, content_type, body):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def start():
    """Starts the server, and returns its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"
