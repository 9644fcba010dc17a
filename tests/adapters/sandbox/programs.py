"""Small scripts that stand in for a control plane's programs."""

from __future__ import annotations

import sys
from pathlib import Path

# Answers every GET with 200 at the port that etcd or kwok would use.
SERVER = """
import re, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
text = " ".join(sys.argv)
port = re.search(r"--(?:server-address=|listen-client-urls=http://)127.0.0.1:(\\d+)", text)[1]
try:
    HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
except OSError as error:
    sys.exit(f"listen tcp 127.0.0.1:{port}: bind: {error.strerror.lower()}")
"""
DEAF = "import time; time.sleep(60)"
STUBBORN = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def program(folder: Path, script: str) -> Path:
    """An executable that runs ``script`` with this interpreter."""
    path = folder / "fake-program"
    path.write_text(f"#!{sys.executable} -I\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path
