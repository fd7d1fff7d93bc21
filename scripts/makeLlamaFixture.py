"""Writes test/fixtures/llama-tiny.json: tiny random models and what Hugging Face transformers makes of them.

Needs `pip install torch transformers`. Run from the repository root: `python scripts/makeLlamaFixture.py`.
The file holds the weights themselves, so that no random generator has to agree between languages.
"""

import json

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

SHAPE = dict(
    vocab_size=11, hidden_size=12, intermediate_size=10, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, rms_norm_eps=1e-5, rope_theta=10000.0, max_position_embeddings=32,
)
FIELDS = [*SHAPE, "head_dim", "tie_word_embeddings"]
MODELS = {
    "Llama": (LlamaForCausalLM, LlamaConfig, dict(head_dim=4, tie_word_embeddings=False)),
    "Qwen2, tied": (Qwen2ForCausalLM, Qwen2Config, dict(head_dim=3 * 2, hidden_size=24, tie_word_embeddings=True)),
    "Qwen3": (Qwen3ForCausalLM, Qwen3Config, dict(head_dim=6, tie_word_embeddings=False)),
}


def describe(name):
    model_class, config_class, options = MODELS[name]
    shape = {**SHAPE, **options}
    config = config_class(**shape, attn_implementation="eager")
    model = model_class(config).double().eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.rand(parameter.shape, generator=generator).round(decimals=3) - 0.5
            parameter.copy_((noise + (1 if parameter.ndim == 1 else 0)).float())
    tokens = torch.randint(0, shape["vocab_size"], (1, 9), generator=generator)
    distribution = model(tokens).logits[0].log_softmax(-1)
    weights = {key: value for key, value in model.state_dict().items()}
    if shape["tie_word_embeddings"]:
        weights.pop("lm_head.weight", None)
    return {
        "config": {
            **{field: shape[field] for field in FIELDS},
            "attention_bias": name.startswith("Qwen2"),
            "qk_norm": name.startswith("Qwen3"),
        },
        "weights": {key: [round(x, 6) for x in value.flatten().tolist()] for key, value in weights.items()},
        "tokens": tokens[0].tolist(),
        "logProbs": distribution[:-1].gather(1, tokens[0, 1:, None])[:, 0].tolist(),
        "entropies": (-(distribution.exp() * distribution).sum(-1)).tolist(),
    }


with open("test/fixtures/llama-tiny.json", "w", encoding="utf-8") as file:
    json.dump({name: describe(name) for name in MODELS}, file)
    file.write("\n")
