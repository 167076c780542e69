"""Label spaces (the answers that may be given) and annotations (an answer and its rater). Nothing here opens a file."""

from affectllm.labels.annotation import Annotation
from affectllm.labels.space import LabelSpace

__all__ = ["Annotation", "LabelSpace"]
