"""What a person gave on the command line, read and checked."""

import argparse
from pathlib import Path

import numpy as np

from cynosure.errors import BadInput
from cynosure.model.profile import Profile, Task
from cynosure.size.targets import read_targets
from cynosure.twin.builtin import DEFAULT, profile_named
from cynosure.twin.calibration import Bench
from cynosure.twin.history import read_history
from cynosure.twin.prepare import Cluster, prepare, profile_tokens
from cynosure.twin.scenarios import SCENARIOS
from cynosure.twin.simulation import Experiment
from cynosure.twin.traffic import Traffic
from loadgen.readers import read_requests, read_trace
from loadgen.tokens import TraceTokens
from loadgen.trace import REQUESTS, RateSeries, RequestTrace
from loadgen.transforms import Compress, ScaleToPeak, Slice, Transform, apply_all

Trace = RequestTrace | RateSeries


def experiment_of(arguments: argparse.Namespace) -> tuple[Experiment, Bench]:
    """:raises BadInput: (or another ValueError of one line) for what cannot be used."""
    if not 0 <= arguments.start_fraction < 1:
        raise BadInput(f"--start-fraction: got {arguments.start_fraction:g}; must be at least 0 and below 1")
    profile = profile_named(arguments.profile or DEFAULT)
    targets = read_targets(arguments.slo)
    traffic = _traffic(arguments, profile)
    experiment, bench = prepare(profile, targets, _cluster(arguments, profile), traffic, arguments.start_fraction)
    return SCENARIOS[arguments.scenario](experiment), bench


def _traffic(arguments: argparse.Namespace, profile: Profile) -> Traffic:
    trace = _shaped(_trace(arguments), arguments)
    if profile.task is Task.IMAGE_CLASSIFICATION:
        rates = trace if isinstance(trace, RateSeries) else _images(trace)
        return Traffic(rates, None, arguments.seed)
    if arguments.tokens is not None:
        return Traffic(trace, TraceTokens(read_requests(arguments.tokens)), arguments.seed)
    has_tokens = isinstance(trace, RequestTrace) and trace.has_tokens
    return Traffic(trace, None if has_tokens else profile_tokens(profile), arguments.seed)


def _trace(arguments: argparse.Namespace) -> Trace:
    if arguments.prometheus is not None:
        if arguments.trace is not None or arguments.service is None:
            raise BadInput("--prometheus: needs --service NAMESPACE/NAME, and takes the place of --trace")
        return read_history(arguments.prometheus, arguments.service, arguments.days, arguments.query)
    if arguments.trace is None:
        raise BadInput("--trace: no load given; name a CSV file of requests or rates, or ask --prometheus URL")
    path = Path(arguments.trace)
    if not path.is_file():
        raise BadInput(f"--trace: {path} is no file; give a CSV of requests (timestamp,input_tokens,output_tokens)")
    return read_trace(path)


def _shaped(trace: Trace, arguments: argparse.Namespace) -> Trace:
    if isinstance(trace, RateSeries) and trace.unit != REQUESTS and arguments.peak_rps is None:
        raise BadInput(f"{trace.source}: counts {trace.unit}, not requests; say by --peak-rps what its peak is")
    steps: list[Transform] = [Compress(arguments.speedup)] if arguments.speedup is not None else []
    steps += [Slice(0.0, arguments.duration_seconds)] if arguments.duration_seconds is not None else []
    steps += [ScaleToPeak(arguments.peak_rps)] if arguments.peak_rps is not None else []
    random = np.random.default_rng([arguments.seed, 2])
    return apply_all(trace, steps, random)  # type: ignore[type-var]


def _images(trace: RequestTrace) -> RequestTrace:
    """Each request is one image."""
    ones = np.ones(len(trace.at_seconds), np.int64)
    return RequestTrace(trace.at_seconds, ones, ones, trace.from_seconds, trace.until_seconds, trace.source)


def _cluster(arguments: argparse.Namespace, profile: Profile) -> Cluster:
    products = sorted({point.gpu for point in profile.points})
    gpu = arguments.gpu or products[0]
    if gpu not in products:
        raise BadInput(f"--gpu: profile {profile.name} has no point on {gpu!r}; it has {', '.join(products)}")
    if arguments.gpus is not None and arguments.gpus < 1:
        raise BadInput(f"--gpus: got {arguments.gpus}; must be at least 1")
    if not 0 <= arguments.lead_seconds <= 86_400:
        raise BadInput(f"--lead-seconds: got {arguments.lead_seconds:g}; must be from 0 to 86400")
    partitions = (arguments.partition,) if arguments.partition else ()
    return Cluster(gpu, arguments.gpus, partitions, arguments.lead_seconds)
