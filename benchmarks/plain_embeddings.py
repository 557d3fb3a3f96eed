"""Baselines: a tuned and a naive plain sentence-transformers script for pairs of a query and its answer.

`tuned`: padded to the longest text of a batch's column, as the library does, and batches without duplicates. `padded`:
all texts padded to max_length. Run as
`python -m benchmarks.plain_embeddings FOLDER MODEL OUTPUT EPOCHS BATCH_SIZE TOKENS WAY`; prints one JSON line with the
optimizer steps, the seconds from the end of the first one to the end of the last, the lowest validation loss and the
peak memory in bytes.
"""

from __future__ import annotations

import json
import sys

from datasets import load_dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.training_args import BatchSamplers

from benchmarks.plain_watch import Watch, exit_now
from benchmarks.rows import peak_memory


def main(folder: str, model_name: str, output: str, epochs: int, batch_size: int, tokens: int, way: str) -> None:
    tuned = way == "tuned"
    data = load_dataset("csv", data_files={n: f"{folder}/{n}.csv" for n in ("train", "valid")})
    model = SentenceTransformer(model_name)
    model.max_seq_length = tokens
    if not tuned:
        model[0].processing_kwargs = {"text": {"padding": "max_length"}}
    texts = list(dict.fromkeys([*data["valid"]["answer"], *data["train"]["answer"]]))
    number = {text: str(i) for i, text in enumerate(texts)}
    evaluator = InformationRetrievalEvaluator(
        {str(i): query for i, query in enumerate(data["valid"]["query"])},
        {i: text for text, i in number.items()},
        {str(i): {number[text]} for i, text in enumerate(data["valid"]["answer"])},
        accuracy_at_k=[1],
        precision_recall_at_k=[10],
        map_at_k=[10],
        write_csv=False,
    )
    watch = Watch()
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=output,
            num_train_epochs=epochs,
            per_device_train_batch_size=batch_size,
            per_device_eval_batch_size=batch_size,
            learning_rate=2e-5,
            warmup_steps=0.1,
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=1,
            batch_sampler=BatchSamplers.NO_DUPLICATES if tuned else BatchSamplers.BATCH_SAMPLER,
            logging_steps=5,
            report_to=[],
            disable_tqdm=True,
            seed=42,
        ),
        train_dataset=data["train"],
        eval_dataset=data["valid"],
        loss=MultipleNegativesRankingLoss(model),
        evaluator=evaluator,
        callbacks=[watch],
    )
    trainer.train()
    loss = min(entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry)
    print(json.dumps({**watch.facts(), "loss": loss, "memory": peak_memory()}))


if __name__ == "__main__":
    main(*sys.argv[1:4], *(int(a) for a in sys.argv[4:7]), sys.argv[7])
    exit_now()
