"""A probabilistic program that makes what people write to a cluster: option values, whole objects, and sentences.

Values are drawn from priors over what an option means, conditioned on its schema (after work on synthetic values for
Ansible options: typed values, priors, constraints). The same program fills Kubernetes objects from their OpenAPI schema
and Ansible tasks from their argument specs, and words directives of which the meaning is then known.
"""

from llm_engine.synthesis.draw import Unsatisfiable, conditioned, drawn
from llm_engine.synthesis.option import Option, of_argument_spec, of_schema
from llm_engine.synthesis.sentences import Sentence, sentences

__all__ = [
    "Option",
    "Sentence",
    "Unsatisfiable",
    "conditioned",
    "drawn",
    "of_argument_spec",
    "of_schema",
    "sentences",
]
