"""gunicorn's settings; WEB_CONCURRENCY in the environment says how many processes there are."""

import os

wsgi_app = "travelmathlite.wsgi"
# The proxy on this machine reaches it, and nobody else; in a container `--bind` says otherwise.
bind = "127.0.0.1:8000"
# Each thread serves a page, and needs one connection of the eight that the pool of its process may open.
threads = 4
# A page waits five seconds for others who write; a large upload, and a plan made at once, take longer.
timeout = 120
graceful_timeout = 60
max_requests = 5000
max_requests_jitter = 500
# Heartbeats of workers do not wait for a disk.
worker_tmp_dir = "/dev/shm"  # noqa: S108 - gunicorn makes files there that nobody else can open
# systemd starts, reloads and stops it, and nothing else has to.
control_socket_disable = True
# The proxy keeps the log of requests.
accesslog = None
if os.environ.get("LOG_FORMAT", "").strip().lower() == "json":
    logconfig_dict = {
        "formatters": {
            "generic": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": ["asctime", "levelname", "name", "message"],
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
            }
        }
    }
