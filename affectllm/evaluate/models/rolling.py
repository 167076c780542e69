"""Log-likelihood of running text, for lm-eval's perplexity tasks."""

from __future__ import annotations

from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

from affectllm.model.load import Model

_LONGEST = 4096  # tokens in one pass, also for models that could take more


def rolling_loglikelihood(model: Model, text: str) -> float:
    """Sum the log-probabilities of all tokens of ``text``, each predicted once, with the longest context possible.

    A text that exceeds the model's length is read in windows that do not overlap.
    """
    tokenizer = model.tokenizer
    prefix = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    longest = min(_LONGEST, model.model.config.get_text_config().max_position_embeddings - 1)
    windows = get_rolling_token_windows(tokens, prefix_token=prefix, max_seq_len=longest, context_len=1)
    return sum(_window(model, *make_disjoint_window(window)) for window in windows)


def _window(model: Model, context: list[int], continuation: list[int]) -> float:
    import torch

    inputs = torch.tensor([[*context, *continuation[:-1]]], device=model.model.device)
    with torch.inference_mode():
        logits = model.model(input_ids=inputs, attention_mask=torch.ones_like(inputs)).logits[0]
    log_probs = torch.log_softmax(logits[-len(continuation) :].float(), dim=-1)
    target = torch.tensor(continuation, device=log_probs.device)
    return float(log_probs.gather(-1, target[:, None]).sum())
