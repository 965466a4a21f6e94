"""Public traces: what they hold, under which terms, and where they are. Nothing is fetched until somebody asks.

Files on GitHub are named by commit, so that their checksum cannot change; the checksums are of the files as published.
"""

from dataclasses import dataclass

from loadgen.errors import BadLoadInput

_GITHUB = "https://raw.githubusercontent.com"
_CLUSTERDATA = f"{_GITHUB}/alibaba/clusterdata/7a6c496e4f4b6ce6150be8f881cb051bf2abff42"
_RESEARCH = "research or study purpose (README of the repository)"


@dataclass(frozen=True, slots=True)
class PublicTrace:
    """``url`` is the file itself; empty where the publisher asks to choose or to log in at ``page``.

    size_bytes and sha256 are None where they are not known. ``holds`` is what a reader of this program makes of it.
    """

    name: str
    title: str
    holds: str
    licence: str
    cite: str
    page: str
    url: str = ""
    size_bytes: int | None = None
    sha256: str | None = None

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]


TRACES = (
    PublicTrace(
        "azure-llm-2023-code",
        "Azure LLM inference, code completion, 57 minutes of 2023",
        "8,819 requests with token lengths",
        "CC-BY-4.0",
        "Splitwise, ISCA'24",
        "https://github.com/Azure/AzurePublicDataset",
        f"{_GITHUB}/Azure/AzurePublicDataset/b469a113cedca53ddc3bdea71a143dc4b7d8700c/data/AzureLLMInferenceTrace_code.csv",
        320_117,
        "54e9a6d2a4bd06ba1e060304b900abbc74cbea53de96506e60fe5bb4f2277fb6",
    ),
    PublicTrace(
        "azure-llm-2023-conversation",
        "Azure LLM inference, conversation, 2023",
        "requests with token lengths",
        "CC-BY-4.0",
        "Splitwise, ISCA'24",
        "https://github.com/Azure/AzurePublicDataset",
        f"{_GITHUB}/Azure/AzurePublicDataset/b469a113cedca53ddc3bdea71a143dc4b7d8700c/data/AzureLLMInferenceTrace_conv.csv",
    ),
    PublicTrace(
        "azure-llm-2024-code",
        "Azure LLM inference, code completion, a week of May 2024",
        "16.8 million requests with token lengths",
        "CC-BY-4.0",
        "DynamoLLM, HPCA'25",
        "https://github.com/Azure/AzurePublicDataset/blob/master/AzureLLMInferenceDataset2024.md",
        "https://azurepublicdatasettraces.blob.core.windows.net/azurellminfererencetrace/AzureLLMInferenceTrace_code_1week.csv",
    ),
    PublicTrace(
        "burstgpt",
        "ChatGPT and GPT-4 of a university, 121 days",
        "5.3 million requests with token lengths, by model (188 MB in four files)",
        "see the repository",
        "BurstGPT, arXiv:2401.17644",
        "https://github.com/HPMLL/BurstGPT",
    ),
    PublicTrace(
        "mooncake-conversation",
        "Kimi conversations, an hour",
        "12,031 requests with token lengths",
        "Apache-2.0",
        "Mooncake, FAST'25",
        "https://github.com/kvcache-ai/Mooncake",
        f"{_GITHUB}/kvcache-ai/Mooncake/3b5a594133958449a1feaf1c9e0fc1b553e34a28/FAST25-release/traces/conversation_trace.jsonl",
        3_029_533,
        "b8cbb061a85206d729d91cdc2981f43c9e0d99209dce588d3af5f7934408b9df",
    ),
    PublicTrace(
        "servegen",
        "Alibaba Cloud Model Studio, two weeks, by client",
        "rates of each client in 10-minute steps, with their burstiness",
        "Apache-2.0",
        "ServeGen, arXiv:2505.09999",
        "https://github.com/alibaba/ServeGen",
    ),
    PublicTrace(
        "alibaba-genai-2026-requests",
        "Alibaba image generation, 23 days",
        "26,823 requests without token lengths",
        _RESEARCH,
        "Lin et al., SoCC'25",
        "https://github.com/alibaba/clusterdata",
        f"{_CLUSTERDATA}/cluster-trace-v2026-GenAI/lora_request_trace.csv",
        2_012_418,
        "263fb88f1095f62d360cf89ded8cfc24fa2c5d111c1b16e7aaa9ccbfc4b37d78",
    ),
    PublicTrace(
        "alibaba-gpu-2023-pods",
        "Alibaba GPU cluster, 149 days",
        "8,152 pods as they were created",
        _RESEARCH,
        "Weng et al., ATC'23",
        "https://github.com/alibaba/clusterdata",
        f"{_CLUSTERDATA}/cluster-trace-gpu-v2023/csv/openb_pod_list_default.csv",
        575_468,
        "1ee7ed79c27a3b0861cda8ddba86a004c6aba904caafa329a76ae93ca63834a8",
    ),
    PublicTrace(
        "google-cluster-2019",
        "Google Borg, eight cells, May 2019",
        "CPU of tasks in 5-minute steps",
        "CC-BY-4.0",
        "Tirmazi et al., EuroSys'20",
        "https://github.com/google/cluster-data",
    ),
    PublicTrace(
        "worldcup-1998",
        "Web site of the 1998 World Cup, 87 days, requests a minute",
        "counts of requests a minute",
        "freely redistributable (Internet Traffic Archive); this table CC-BY-4.0",
        "Arlitt and Jin 1999, HPL-1999-35",
        "https://ita.ee.lbl.gov/html/contrib/WorldCup.html",
        f"{_GITHUB}/PasanBhanu/time-series-forcasting-with-facebook-prophet-lstm-hybrid-model"
        "/354f0042ae7d5812dc7a44335a56b4992e853483/datasets/fifa.csv",
        3_157_125,
        "e1f29827a230947f3c94b0fe8693bb2ce84f06f0b298e3d56ac32e424bfb6733",
    ),
    PublicTrace(
        "nasa-1995",
        "Web site of the Kennedy Space Center, two months, requests a minute",
        "counts of requests a minute",
        "freely redistributable (Internet Traffic Archive); this table CC-BY-4.0",
        "Arlitt and Williamson 1996, SIGMETRICS",
        "https://ita.ee.lbl.gov/html/contrib/NASA-HTTP.html",
        f"{_GITHUB}/PasanBhanu/time-series-forcasting-with-facebook-prophet-lstm-hybrid-model"
        "/354f0042ae7d5812dc7a44335a56b4992e853483/datasets/nasa.csv",
        1_870_783,
        "a292e0d59f8f96a83b6f7631f252728f8215b1bfb8386cb183e174a5999a3216",
    ),
    PublicTrace(
        "bitbrains-faststorage",
        "1,250 business virtual machines, a month",
        "CPU, memory, disk and network in 5-minute steps, a file for each",
        "free for research with citation",
        "Shen et al., CCGrid'15",
        "http://gwa.ewi.tudelft.nl/datasets/gwa-t-12-bitbrains",
    ),
)


def public_trace(name: str) -> PublicTrace:
    found = next((trace for trace in TRACES if trace.name == name), None)
    if found is None:
        raise BadLoadInput(f"trace: {name} is neither a file nor a public trace; 'cynosure traces list' names these")
    return found
