"""Checks that a checkpoint folder opens in transformers and computes the same log-probs as this project.

Optional: nothing in the build or the tests needs it. Set-up, in any virtual environment:

    pip install torch transformers
    node scripts/build.mjs && node dist/cli.js ...        (anything that leaves a checkpoint folder)
    python scripts/checkTransformers.py FOLDER [EXPECTED.json]

FOLDER holds config.json, model.safetensors, tokenizer.json and tokenizer_config.json. EXPECTED.json, if
given, is {"texts": [...], "tokens": [[...]], "logProbs": [[...]], "temperature": 1}: for every text its
token ids and the log-prob of each token given those before it (0 for the first), as `Policy.scoreTokens`
returns them. Without it, the script only checks that the folder opens, that every weight is used and
that the tokenizer returns a text as it was. Exit status 1 when anything differs.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

LARGEST_DIFFERENCE = 1e-4


def open_checkpoint(folder):
    model, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    problems = {kind: sorted(names) for kind, names in report.items() if names and kind != "error_msgs"}
    if problems:
        raise SystemExit(f"{folder}: weights and config.json do not agree: {problems}")
    if next(model.parameters()).dtype != torch.float32:
        raise SystemExit(f"{folder}: expected float32 weights, got {next(model.parameters()).dtype}")
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def log_probs(model, tokens, temperature):
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0, :-1] / temperature
    chosen = torch.log_softmax(logits, -1).gather(1, torch.tensor(tokens[1:])[:, None])[:, 0]
    return [0.0, *chosen.tolist()]


def main(folder, expected_file=None):
    model, tokenizer = open_checkpoint(folder)
    print(f"{type(model).__name__}, {sum(p.numel() for p in model.parameters())} parameters, {len(tokenizer)} tokens")
    print(f"end {tokenizer.eos_token!r} = {tokenizer.eos_token_id}, padding {tokenizer.pad_token!r} = {tokenizer.pad_token_id}")
    if model.config.eos_token_id != tokenizer.eos_token_id:
        raise SystemExit("config.json and the tokenizer disagree about the end token")
    if expected_file is None:
        return
    with open(expected_file, encoding="utf-8") as file:
        expected = json.load(file)
    worst = 0.0
    for text, tokens, wanted in zip(expected["texts"], expected["tokens"], expected["logProbs"], strict=True):
        encoded = tokenizer(text, add_special_tokens=False)["input_ids"]
        if encoded != tokens:
            raise SystemExit(f"tokens differ for {text!r}: expected {tokens}, got {encoded}")
        if tokenizer.decode(tokens) != text:
            raise SystemExit(f"decoding differs: expected {text!r}, got {tokenizer.decode(tokens)!r}")
        found = log_probs(model, tokens, expected.get("temperature", 1))
        worst = max(worst, *(abs(one - other) for one, other in zip(found, wanted, strict=True)))
    print(f"largest difference of a log-prob: {worst:.2e} nats")
    if worst > LARGEST_DIFFERENCE:
        raise SystemExit(f"expected at most {LARGEST_DIFFERENCE}")


if __name__ == "__main__":
    main(*sys.argv[1:])
