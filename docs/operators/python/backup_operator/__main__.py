"""Runs the operator: python -m backup_operator"""

import argparse
import os
import socket
import sys

from .framework import Settings
from .framework.log import log, message_of
from .handlers import operator

parser = argparse.ArgumentParser(prog="backup_operator", description=__doc__)
parser.add_argument("--namespace", default="backup-system")
parser.add_argument("--identity", default=f"{socket.gethostname()}-{os.getpid()}")
parser.add_argument("--port", type=int, default=9443)
parser.add_argument("--webhook-url", help="for an operator outside the cluster: where the API server reaches it")
parser.add_argument("--lease-seconds", type=int, default=15)
parser.add_argument("--resync-seconds", type=float, default=600)
parser.add_argument("--workers", type=int, default=2)

try:
    operator.run(Settings(**vars(parser.parse_args())))
except Exception as error:
    log("ended", error=message_of(error))
    # At once: threads may be in the middle of something that is now another leader's.
    os._exit(1)
# Kept connections have threads that wait: nothing depends on them.
sys.stdout.flush()
os._exit(0)
