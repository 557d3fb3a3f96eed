"""The classifier of pairs with a relation, which is trained with the embeddings: saved with the model, and its code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

FILE = "pair_classifier.safetensors"
"""In the folder of the model: `weight` and `bias` of the linear layer, and the names of the classes as metadata."""
EXAMPLE = """\
The relation of two texts is predicted by the classifier that was trained with the embeddings:

```python
import json

import torch
from safetensors import safe_open
from sentence_transformers import SentenceTransformer

model = "{model}"
pair = ["The first text", "The second text"]

with safe_open(f"{{model}}/pair_classifier.safetensors", "pt") as file:
    weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
    labels = json.loads(file.metadata()["labels"])
first, second = SentenceTransformer(model).encode_query(pair, convert_to_tensor=True).cpu()
logits = torch.cat([first, second, (first - second).abs()]) @ weight.T + bias
scores = dict(zip(labels, logits.softmax(dim=0).tolist()))
print(max(scores, key=scores.get))
```"""
"""Text and code for the model card; `{model}` is the path of the model."""


def save(folder: Path, classifier: torch.nn.Linear, classes: Sequence[str]) -> None:
    """Write the classifier into the folder of the model."""
    tensors = {name: weights.detach().cpu().float().contiguous() for name, weights in classifier.state_dict().items()}
    save_file(tensors, str(folder / FILE), metadata={"labels": json.dumps(list(classes))})
