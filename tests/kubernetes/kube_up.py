"""Bring a test cluster up by hand, for as long as this runs.

    python tests/kubernetes/kube_up.py [--tier node|process]
    eval "$(python tests/kubernetes/kube_up.py --env)"     # in another shell, any number of times

The second line takes the code as it stands into a new task image and sets `KUBECONFIG` and
`NBFLOW_TEST_IMAGE`. Tests that are run meanwhile use the same cluster, each in a namespace of its own.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict

from kubecluster import Running, Tier, announced, lacking, running_by_hand


def main() -> None:
    """Read the options, and do it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tier", choices=("node", "process"))
    parser.add_argument("--grace", type=int, default=600, help="seconds a node may be silent")
    parser.add_argument("--env", action="store_true", help="print settings for a shell, and end")
    parser.add_argument("--serve", action="store_true", help="for tests: end with standard input")
    options = parser.parse_args()
    if options.env:
        _print_settings()
        return
    tier = options.tier or _best()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    try:
        with Running(tier, options.grace) as cluster:
            if options.serve:
                _serve(cluster)
                return
            with announced(cluster.facts):
                print(
                    f"A {tier} cluster is up, {time.monotonic() - started:.0f} s. Ctrl-C ends it."
                )
                print(f"KUBECONFIG={cluster.facts.kubeconfig}", flush=True)
                signal.pause()
    except KeyboardInterrupt:
        pass


def _best() -> Tier:
    for tier in ("node", "process"):
        reason = lacking(tier)
        if reason is None:
            return tier
        print(f"no {tier} cluster: {reason}", file=sys.stderr)
    sys.exit(1)


def _serve(cluster: Running) -> None:
    """Say what it is, then do what the lines on standard input say, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(json.dumps(asdict(cluster.facts)), flush=True)
    for line in sys.stdin:
        try:
            _do(cluster, *line.split())
            print("done", flush=True)
        except Exception as error:
            print(repr(error), flush=True)


def _do(cluster: Running, order: str, *words: str) -> None:
    if order == "restart":
        cluster.plane.restart(words[0], float(words[1]))
    elif order == "silence":
        cluster.node.fall_silent()
    else:
        raise ValueError(f"unknown order {order}")


def _print_settings() -> None:
    facts = running_by_hand()
    if facts is None:
        sys.exit("No cluster runs: python tests/kubernetes/kube_up.py")
    print(f"export KUBECONFIG={facts.kubeconfig} NBFLOW_TEST_IMAGE={facts.image()}")


if __name__ == "__main__":
    main()
