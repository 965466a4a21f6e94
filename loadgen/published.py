"""The week of code requests as published, for when no trace is at hand: figures with their source, and no file.

Source: Azure Public Dataset, commit b469a113 (CC-BY-4.0). Hourly requests of the "code" service from 2024-05-10 00:00
UTC, digitised from the figure of the dataset's own notebook and scaled to its published total of 16,803,695 requests
(error against ten exact hourly counts: -1.1 to +2.2 %); cite DynamoLLM (HPCA'25). Token lengths are quantiles of the
8,819 requests in the 2023 code hour; cite Splitwise (ISCA'24). Input and output lengths are drawn independently: their
rank correlation there is -0.02.
"""

import numpy as np

from loadgen.tokens import QuantileTokens
from loadgen.trace import RateSeries, rate_series

CODE_WEEK = "azure-llm-2024-code-week"
"""The name that stands for this series where a file is expected."""

_FIRST_HOUR_SECONDS = 1_715_299_200.0  # 2024-05-10 00:00:00 UTC, a Friday

# fmt: off
_HOURLY_REQUESTS = (
    76707, 77909, 67792, 58131, 46952, 39511, 32906, 29825, 25719, 28623, 29909, 40378,
    71927, 116655, 175861, 195717, 178811, 204407, 210049, 218439, 207748, 154618, 112954, 76911,
    60786, 55548, 48077, 47056, 39027, 31507, 26684, 19522, 14503, 11886, 9710, 16593,
    26053, 35648, 42770, 47327, 51940, 58244, 61913, 62021, 56680, 51513, 56891, 48379,
    47849, 50389, 46456, 44102, 37655, 30960, 24313, 15424, 12481, 12396, 12760, 14624,
    21901, 27957, 36479, 43345, 46820, 47331, 55079, 56692, 64616, 66757, 62248, 61468,
    65749, 67185, 65924, 58103, 50183, 39533, 32509, 31884, 29212, 28959, 28848, 45661,
    78140, 145765, 201572, 229910, 217446, 244539, 270603, 279967, 260285, 201678, 155589, 110294,
    99572, 105973, 93612, 65889, 53438, 43359, 35449, 28286, 26752, 32029, 33725, 50092,
    94173, 174078, 241513, 240078, 214223, 266187, 297754, 297927, 266827, 192065, 143779, 109598,
    99971, 89479, 82637, 74018, 56392, 43948, 40013, 31523, 30795, 27803, 34952, 49109,
    91802, 157160, 209182, 231633, 236406, 258029, 293683, 302505, 289942, 206515, 136382, 107125,
    92301, 81196, 86504, 68074, 52761, 46542, 41813, 33060, 30600, 32130, 32854, 51383,
    98029, 146909, 216025, 230218, 223954, 257906, 284947, 289172, 257671, 187927, 133026, 102936,
)
# fmt: on

_SHARES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
_INPUT_TOKENS = (3, 17, 75, 147, 386, 770, 1075, 1469, 1909, 2433, 3192, 5188, 7303, 7436, 7436, 7436, 7437, 7437)
_OUTPUT_TOKENS = (6, 6, 6, 7, 8, 9, 11, 13, 16, 20, 29, 55, 90, 171, 251, 359, 825, 1899)


def code_week() -> RateSeries:
    """Return the 168 hourly rates as requests per second."""
    hours = _FIRST_HOUR_SECONDS + 3600.0 * np.arange(len(_HOURLY_REQUESTS), dtype=np.float64)
    source = f"{CODE_WEEK} (published hourly figures, Azure Public Dataset, CC-BY-4.0; no trace file)"
    return rate_series(hours, np.array(_HOURLY_REQUESTS) / 3600.0, source)


def code_tokens() -> QuantileTokens:
    source = "published quantiles of the Azure 2023 code hour (CC-BY-4.0; no trace file)"
    return QuantileTokens(_SHARES, _INPUT_TOKENS, _OUTPUT_TOKENS, source)
