"""Texts that are refused whatever else they say: they try to reach past the vocabulary of directives.

Refusing here is a courtesy to the author and a line in the log. What makes hostile text harmless is that nothing
of it is ever run: only typed directives leave this room.
"""

import re
import unicodedata

from llm_engine.catalog import Catalog
from llm_engine.values import Reason, Refusal

MAX_CHARACTERS = 2048

_HOSTILE = {
    "a command": r"\b(?:kubectl|helm|curl|wget|sudo|chmod|chown|ssh|scp|bash|zsh|powershell|nsenter|docker|crictl|"
    r"etcdctl|eval|exec|"
    r"os\.system|subprocess|import os|xargs|netcat|base64)\b|\brm\s+-|\b(?:sh|python3?|perl|nc)\s+-\w|"
    r"\$[a-z_]\w|\$\(|\$\{|`|&&|\|\|?|>>|<<|/etc/|/bin/|/proc/|\.\./|"
    r";\s*(?:rm|cat|sh|ls|echo|dd|kill|reboot)\b",
    "code": r"<\s*/?\s*(?:script|iframe|system|img|inst)\b|\{\{|\}\}|<\|\S*\|>|\b(?:drop|truncate)\s+table\b|"
    r"\bunion\s+select\b|'\s*or\s+'?1'?\s*=|__import__|"
    r"\bsystem\s*:|\bassistant\s*:|\[/?inst\]|\{\s*\"",
    "an instruction to the model": r"\b(?:ignore|disregard|forget|override|bypass|skip|circumvent)\b"
    r".{0,40}\b(?:instructions?|"
    r"prompts?|rules?|polic(?:y|ies)|"
    r"limits?|guardrails?|approvals?|checks?|safety|directions|above|previous|constraints?|"
    r"restrictions?|everything)\b|\b(?:print|show|reveal|repeat|output|tell me|what are|display)\b"
    r".{0,20}\b(?:your|previous|initial)(?: \w+)? (?:instructions|prompts?|rules|guidelines)\b|"
    r"\b(?:ignora|ignorad|olvida|ignoriere|vergiss|ignorez|oublie|oubliez)\b"
    r".{0,40}\b(?:instrucciones|reglas|anweisungen|regeln|instructions|consignes|règles)\b|"
    r"(?:忽略|无视|忘记).{0,20}(?:指令|指示|规则|提示)|"
    r"\b(?:system|hidden|initial) prompt\b|\bjailbreak|"
    r"\byou are (?:now|no longer)\b|\b(?:developer|god|admin|root) mode\b|\bpretend\b|\bact as\b|"
    r"\brole ?play\b|\bnew instructions\b|\bas (?:an? )?(?:admin(?:istrator)?|root)\b",
    "a secret": r"\b(?:secrets?|passwords?|passwd|credentials?|kubeconfig|private keys?|ssh keys?|api[ -]?keys?|"
    r"access keys?|"
    r"(?:api|service ?account|bearer|auth|access|admin|session|id|login|secret) tokens?|"
    r"certificates?)\b|\b(?:print|show|reveal|leak|dump|send|steal|read|give me|list|export|"
    r"exfiltrate)\b.{0,20}\btokens?\b|"
    r"\bexfiltrat\w*|\benv(?:ironment)? variables?\b",
    "an object that is not a service": r"\b(?:delete|destroy|wipe|erase|drop(?! below| under)|remove|purge|"
    r"nuke|kill|uninstall|drain|cordon|tear down|"
    r"get rid of)\b(?:(?!replica|pod|instance|\d|[;.!?]).){0,30}\b(?:namespaces?|cluster(?!-)|clusters|nodes?|crds?|"
    r"databases?|deployments?|volumes?|pvcs?|disks?|backups?|data|logs?|prometheus|operator|etcd|"
    r"everything|all(?! the time)|every (?:service|model)|webhooks?|rbac|ingress|configmaps?|"
    r"kube-\w+)\b|"
    r"\b(?:format|wipe|nuke|destroy)\b.{0,20}\b(?:disk|drive|everything|all|cluster)\b",
    "a change of permissions": r"\bcluster-?admin\b|\b(?:grant|give|elevate|escalate)\b"
    r".{0,40}\b(?:permissions?|privileges?|"
    r"admin|rights?|access|roles?)\b|\b(?:role|cluster)binding\b|"
    r"\bwithout (?:asking|telling|permission|"
    r"confirm\w*|review\w*)\b|\b(?:disable|turn off|switch off|remove|delete|bypass|without|skip|"
    r"stop)\b.{0,30}\b(?:approvals?|rbac|admission|audit(?:ing)?|authenti\w+|authori[sz]ation|"
    r"security|network ?polic(?:y|ies)|"
    r"webhooks?|verification|monitoring|alerts?|alerting|logging|dry-?run)\b|\bhostpath\b|"
    r"\bprivileged\b|\bself-?approv\w+|\bapprove (?:it|this|your|my|the)\b|--\w[\w-]*|\bdry-?run\s*=",
    "an address": r"\b(?:https?|ftp|file|ssh|git|tcp)://|\b\d{1,3}(?:\.\d{1,3}){3}\b",
}
_PATTERNS = {what: re.compile(pattern, re.IGNORECASE | re.DOTALL) for what, pattern in _HOSTILE.items()}
_NAME = re.compile(r"(?P<quote>`?)(?P<name>[^\W_](?:[\w.-]*\w)?)(?P=quote)")
_CODE = re.compile(
    r"\bdef \w+\(|\bfunction \w*\(|\bclass \w+[:({]|\breturn \w+ ?[;(+]|=>|==|!=|\+\+|#include|console\.log|print\(|"
    r"public static|\bselect \S+ from\b|\bfor \w+ in \w+:|\w\(\)",
    re.IGNORECASE,
)
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_BLANKS = "\t\n\r"


def refuse_unsafe(text: str, catalog: Catalog) -> Refusal | None:
    """Names of the catalog are no reason for a refusal: a service may be called ``secret-santa``."""
    if any(unicodedata.category(c) in _HIDDEN and c not in _BLANKS for c in text):
        return _refusal("characters that cannot be seen")
    rest = unicodedata.normalize("NFKC", _without_names(text, catalog))
    found = next((what for what, pattern in _PATTERNS.items() if pattern.search(rest)), None)
    return _refusal(found) if found else None


def refuse_code(text: str) -> Refusal | None:
    """Programs ask for nothing that can be done to a service."""
    what = "the text is code, and nothing of it is run"
    return Refusal(Reason.NOT_AN_INTENT, what, "say in a sentence what to do") if _CODE.search(text) else None


def _without_names(text: str, catalog: Catalog) -> str:
    def masked(found: re.Match[str]) -> str:
        known = found["name"].lower() in catalog.all_names
        return "NAME" if known else found[0]

    return _NAME.sub(masked, text)


def _refusal(what: str) -> Refusal:
    message = f"the text holds {what}; only directives about services are taken, and nothing is run"
    return Refusal(Reason.UNSAFE_REQUEST, message, "pause, scale or bound a service by its name")
