import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Callback(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the server asks again on the same connection

    def do_GET(self):
        number = parse_qs(urlsplit(self.path).query).get("uriUser", [""])[0]
        if number.startswith("2"):
            answer = {"action": "route", "data": {"tag": "sales"}}
        elif number.startswith("3"):
            answer = {"action": "redirect", "data": {"contact": f"sip:{number}@example.com"}}
        else:
            answer = {"action": "reject", "data": {"status": 404, "reason": "No Such Number"}}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Callback)
print(f"listening on {server.server_port}", flush=True)
server.serve_forever()
