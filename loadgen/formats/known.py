"""The published traces that are known by their columns; others are read by `plain` names."""

from loadgen.formats.plain import plain_form
from loadgen.formats.rates import RateForm
from loadgen.formats.requests import Form, RequestForm
from loadgen.formats.rows import Rows

PUBLISHED: tuple[Form, ...] = (
    RequestForm("azure-llm", "timestamp", "contexttokens", "generatedtokens"),
    RequestForm("burstgpt", "timestamp", "request_tokens", "response_tokens", unit_seconds=1.0),
    RequestForm("mooncake", "timestamp", "input_length", "output_length", unit_seconds=1e-3, needs=("hash_ids",)),
    RequestForm("sincere", "arrival_s", needs=("model",), unit_seconds=1.0),
    RequestForm(
        "alibaba-genai-2026",
        "gmt_create",
        needs=("predict_type", "num_inference_steps"),
        unordered=True,
        notes=("image generation: no tokens",),
    ),
    RequestForm(
        "alibaba-gpu-pods",
        "creation_time",
        needs=("scheduled_time", "deletion_time"),
        unit_seconds=1.0,
        unordered=True,
        undated=True,
        notes=("each row is a pod that was created, taken as one request",),
    ),
    RequestForm(
        "cicflowmeter",
        "timestamp",
        needs=("flow_id", "flow_duration"),
        unordered=True,
        notes=("each row is a network flow, taken as one request",),
    ),
    RequestForm("access-log", "time_local", needs=("request", "status"), unordered=True),
    RateForm("azure-llm-digitised", "timestamp_utc", "per_min_mid", per_seconds=60.0),
    RateForm("servegen", "t_s", "rate_rps", unit_seconds=1.0, together="sum", cv="cv", needs=("client",)),
    RateForm("servegen-totals", "t_s", "total_rate_rps", unit_seconds=1.0, together="sum", needs=("model",)),
    RateForm(
        "alibaba-genai-2026-qps",
        "timestamp_anon",
        "value",
        unit_seconds=1.0,
        together="sum",
        needs=("container_ip", "request_type"),
        notes=("request_type tells the front door (API Requests) from the GPU pods (Generative Requests)",),
    ),
    RateForm(
        "alibaba-genai-2026-metric",
        "timestamp_anon",
        "value",
        unit_seconds=1.0,
        together="mean",
        unit="a metric as recorded",
        needs=("container_ip",),
    ),
    RateForm(
        "google-cluster-2019",
        "time",
        "avg_cpu_usage",
        unit_seconds=1e-6,
        unit="CPU, as a share of the largest machine",
        together="mean",
        needs=("instance_index",),
    ),
    RateForm(
        "bitbrains",
        "timestamp_ms",
        "cpu_usage_mhz",
        unit_seconds=1.0,
        unit="CPU in MHz",
        together="mean",
        needs=("cpu_capacity_provisioned_mhz",),
        notes=("the header says ms, the times are seconds",),
    ),
)


def form_of(rows: Rows) -> Form:
    """Return the published form of a file, or what its columns make plain; BadLoadInput when they do not."""
    published = next((form for form in PUBLISHED if form.recognises(rows)), None)
    return published or plain_form(rows)
