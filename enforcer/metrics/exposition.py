"""Metrics in Prometheus' text format, and the file for the node exporter's textfile collector."""

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from enforcer.metrics.catalogue import LedgerState, Metric, Sample, samples_of
from labkit.files import atomic_path

READABLE_BY_ALL = 0o644
"""Mode of the file. Unlike the lab's other files, it is readable by all: the node exporter runs as another user, and no
person is in it."""


class _Samples(Collector):
    """Passes samples to a registry. Series that the library adds by itself, such as `_created`, do not occur."""

    def __init__(self, common: tuple[str, ...], samples: Iterable[Sample]) -> None:
        self._families = {metric: _family(metric) for metric in Metric}
        for sample in samples:
            self._families[sample.metric].add_metric([*common, *sample.labels], float(sample.value))

    def collect(self) -> Iterable[Family]:
        return self._families.values()


def _family(metric: Metric) -> GaugeMetricFamily | CounterMetricFamily:
    make = CounterMetricFamily if metric.is_counter else GaugeMetricFamily
    return make(metric.full_name, metric.help, labels=metric.labels)


def text_of(state: LedgerState) -> bytes:
    """Return all metrics in the text format, UTF-8. A metric without samples has its HELP and TYPE lines."""
    # A registry of its own, because the default one has metrics of this process and platform.
    registry = CollectorRegistry()
    course = state.snapshot.course
    registry.register(_Samples((course.id, course.term), samples_of(state)))
    return generate_latest(registry)


def write_textfile(path: Path, text: bytes) -> None:
    """Replace the file atomically, so that the node exporter never reads a part of it. Raises OSError."""
    with atomic_path(path, durable=False) as draft:
        draft.write_bytes(text)
        os.chmod(draft, READABLE_BY_ALL)
