"""Run inside an environment with ms-swift: reads an export with its own loader and opens pictures and sounds with it.

With the folder of a model as second argument, texts are tokenised with its template for Qwen2.
"""

import cpu_wheels  # noqa: F401, I001
import json
import sys

from swift.dataset import load_dataset
from swift.template.template_inputs import StdTemplateInputs
from swift.template.vision_utils import load_audio, load_image


def encoder(folder):
    from swift.model import get_model_processor
    from swift.template import get_template

    _, processor = get_model_processor(folder, model_type="qwen2", load_model=False)
    template = get_template(processor, template_type="qwen")
    template.set_mode("train")
    return template.encode


rows, _ = load_dataset([sys.argv[1]], num_proc=1, strict=True, shuffle=False)
encode = encoder(sys.argv[2]) if len(sys.argv) > 2 else None
for row in rows:
    inputs = StdTemplateInputs.from_dict(row)
    images = [image["path"] for image in inputs.images]
    record = {"messages": inputs.messages, "images": images, "videos": inputs.videos, "audios": inputs.audios}
    record["sizes"] = [load_image(image).size for image in images]
    record["samples"] = [len(load_audio(audio, 16_000)) for audio in inputs.audios]
    if encode is not None:
        encoded = encode(row)
        record |= {"input_ids": encoded["input_ids"], "labels": encoded["labels"]}
    print(json.dumps(record))
