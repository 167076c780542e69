"""Label spaces and annotations: the answers that may be given, and who gave them. Nothing here opens a file."""

from affectllm.labels.annotation import Annotation
from affectllm.labels.space import LabelSpace

__all__ = ["Annotation", "LabelSpace"]
