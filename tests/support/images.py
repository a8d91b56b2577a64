"""Images of models, made here from the running Python: friendly ones, broken ones and hostile ones."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

from tests.support.waiting import PATIENCE

from mlgate.adapters.docker.generator_image import driver_image
from mlgate.adapters.docker.image import Image, resolve
from mlgate.adapters.load.channel import Channel

if TYPE_CHECKING:
    from docker import DockerClient

READY = "/v1/models/m"
REPOSITORY = "mlgate-test"

SERVER = """
import ctypes, errno, json, os, resource, signal, socket, subprocess, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

def answer(text):
    return text.partition(".")[0] + "."

def before():
    pass

{code}

class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.say({{"name": "m", "ready": True}})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.say({{"predictions": [answer(text) for text in asked["instances"]]}})

    def say(self, what):
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

before()
ThreadingHTTPServer(("0.0.0.0", 8080), Model).serve_forever()
"""
"""A model that speaks the KServe V1 protocol and answers the first sentence. A test puts its own code into it."""

ATTEMPT = """
libc = ctypes.CDLL(None, use_errno=True)

def outcome(attempt):
    try:
        said = attempt()
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return errno.errorcode[error.errno]
    if isinstance(said, int) and said < 0:
        return errno.errorcode[ctypes.get_errno()]
    return "done"

def write(path, megabytes=1):
    with open(path, "wb") as file:
        for _ in range(megabytes):
            file.write(bytes(1 << 20))

def run_from_tmp():
    with open("/tmp/run", "wb") as file:
        file.write(b"#!" + os.fsencode(sys.executable) + b"\\n")
    os.chmod("/tmp/run", 0o755)
    subprocess.run(["/tmp/run"], check=True)

def connect(place):
    host, port = place.rsplit(":", 1)
    socket.create_connection((host, int(port)), 2).close()

ATTEMPTS = {
    "write": write,
    "fill": lambda path: write(path, 1024),
    "mkdir": os.mkdir,
    "run": lambda _: run_from_tmp(),
    "setuid": lambda _: os.setuid(0),
    "mount": lambda _: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
    "unshare": lambda _: libc.unshare(0x10000000),
    "mknod": lambda _: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0)),
    "hostname": lambda _: socket.sethostname("mine"),
    "raw": lambda _: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "connect": connect,
}

def answer(text):
    kind, _, detail = text.partition(" ")
    return outcome(lambda: ATTEMPTS[kind](detail))
"""
"""A model that tries what it is asked to, and answers what came of it: `EPERM`, `done`."""


SILENT = "def before(): print('loading for ever', flush=True); time.sleep(3600)"
ENDING = "def before(): print('no weights found', flush=True); sys.exit(4)"


def mortal(requests: int) -> str:
    """Return the code of a model that ends itself at the request of that number."""
    return f"""
asked = []
def answer(text):
    asked.append(text)
    if len(asked) == {requests}:
        print("I have had enough", flush=True)
        os._exit(7)
    return text
"""


def python_image(client: DockerClient, code: str = "", *instructions: str) -> Image:
    """Return an image of the server with *code* in it and more lines of Dockerfile; built once for each content."""
    driver = driver_image(client)
    source = SERVER.format(code=code)
    lines = [
        f"FROM {driver.image_id}",
        "COPY model.py /model.py",
        "USER 0",
        *instructions,
        'CMD ["-u", "/model.py"]',
        "",
    ]
    dockerfile = "\n".join(lines)
    tag = f"{REPOSITORY}:{hashlib.sha256((dockerfile + source).encode()).hexdigest()[:16]}"
    if not client.images.list(tag):
        client.images.build(
            fileobj=archive({"Dockerfile": dockerfile, "model.py": source}), custom_context=True, tag=tag, rm=True
        )
    return resolve(client, tag)


def archive(files: dict[str, str]) -> io.BytesIO:
    """Return a build context."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    data.seek(0)
    return data


def ask(channel: Channel, text: str) -> str:
    """Ask the model once, as the load generator does; a failure comes back as `failure: …`."""
    body = json.dumps({"instances": [text]}).encode()
    head = f"POST /v1/models/m:predict HTTP/1.1\r\nHost: m\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    number = (
        channel.call({"do": "payloads", "items": [base64.b64encode(head + body).decode()]}, PATIENCE)["payloads"] - 1
    )
    asked = {"do": "closed", "payload": [number], "concurrency": 1, "seconds": 60, "count": 1}
    seen = channel.call(asked, PATIENCE)
    if "unreachable" in seen:
        return f"failure: {seen['unreachable']}"
    if seen["failure"]:
        return f"failure: {seen['failure']['0']}"
    said = json.loads(base64.b64decode(seen["replies"][seen["reply"][0]]["body"]))
    return str(said["predictions"][0])
