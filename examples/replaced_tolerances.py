"""Three public tests, each with its tolerance and with `assert_within_bound` in its place.

| test | its tolerance |
| --- | --- |
| keras, `rms_normalization_test.py::test_correctness` | 0.1 on an output of size 4 |
| fla, `tests/ops/test_gated_delta.py::test_chunk` | 0.005 of the root mean square |
| transformers, `tests/models/mamba2/test_mamba2_consistency.py::test_training_inference_consistency` | 1e-5 |

    pip install keras transformers flash-linear-attention einops && python examples/replaced_tolerances.py

Each is run as it is, and with a fault that a tolerance may or may not see. What is not installed is not run.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ssmverify.bounds import assert_within_bound, bound


def told(name: str, tolerance: Callable[[], float], allowed: float, check: Callable[[], None]) -> None:
    """What the tolerance says of a result and what the bound says."""
    found = tolerance()
    try:
        check()
        verdict = "within its bound"
    except AssertionError as error:
        verdict = str(error).splitlines()[0]
    seen = "passes" if found < allowed else "FAILS"
    print(f"  {name:34} tolerance {seen} ({found:.1e} of {allowed:g});  {verdict}")


def keras_rms_norm() -> None:
    os.environ["KERAS_BACKEND"] = "torch"
    from keras import layers

    layer = layers.RMSNormalization(axis=[-1, -2])
    layer.build((2, 2, 2))
    scale, x = torch.as_tensor(layer.scale.value).detach().cpu(), torch.randn(1000, 2, 2, 2) * 10 + 5

    def reference(x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(dim=(-2, -1), keepdim=True) + layer.epsilon) * scale

    print(f"keras, RMS normalization: largest bound {float(bound(reference, x).bound.max()):.1e}")
    out = layer(x).detach().cpu()
    rounded = reference(x.bfloat16()).float()
    mistaken = reference(x) * (1 + 1e-3)
    for name, y in (("as it is", out), ("in bfloat16", rounded), ("a thousandth too large", mistaken)):
        difference = (y - reference(x)).abs().max()
        told(name, lambda d=difference: float(d), 0.1, lambda y=y: assert_within_bound(y, reference, x))  # type: ignore[misc]


def fla_gated_delta_rule() -> None:
    from fla.ops.gated_delta_rule.naive import naive_chunk_gated_delta_rule, naive_recurrent_gated_delta_rule

    B, T, H, D = 1, 64, 2, 32
    q, v = torch.randn(B, T, H, D), torch.randn(B, T, H, D)
    k, beta = F.normalize(torch.randn(B, T, H, D), dim=-1), torch.rand(B, T, H).sigmoid()
    g = F.logsigmoid(torch.rand(B, T, H))

    def chunk(q: Tensor, k: Tensor, v: Tensor, g: Tensor, beta: Tensor) -> Tensor:
        return naive_chunk_gated_delta_rule(q, k, v, g, beta, chunk_size=16)[0]  # type: ignore[no-any-return]

    def loop(q: Tensor, k: Tensor, v: Tensor, g: Tensor, beta: Tensor) -> Tensor:
        return naive_recurrent_gated_delta_rule(q, k, v, beta, g)[0]  # type: ignore[no-any-return]

    given = (q, k, v, g, beta)
    print(f"fla, gated delta rule by chunks: largest bound {float(bound(chunk, *given).bound.max()):.1e}")
    runs = {
        "the chunked form": chunk(*given),
        "the loop": loop(*given),
        "keys rounded to bfloat16": chunk(q, k.bfloat16().float(), v, g, beta),
        "decays rounded to bfloat16": chunk(q, k, v, g.bfloat16().float(), beta),
        "one gate a thousandth off": chunk(q, k, v, g * (1 + 1e-3 * (torch.arange(T) == 20))[None, :, None], beta),
    }
    for name, y in runs.items():
        ratio = ((y - loop(*given)).square().mean().sqrt() / loop(*given).square().mean().sqrt()).item()
        told(name, lambda r=ratio: r, 0.005, lambda y=y: assert_within_bound(y, chunk, *given))  # type: ignore[misc]


def transformers_mamba2() -> None:
    from transformers import Mamba2Config, Mamba2Model

    sizes = {"hidden_size": 64, "expand": 2, "num_heads": 16, "head_dim": 8, "state_size": 16}
    model = Mamba2Model(Mamba2Config(vocab_size=1000, num_hidden_layers=1, **sizes)).eval()
    x = torch.randn(1, 4, 64)

    def reference(x: Tensor) -> Tensor:
        return model(inputs_embeds=x, use_cache=False).last_hidden_state  # type: ignore[no-any-return]

    with torch.no_grad():
        inference, limit = reference(x), bound(reference, x).bound
        training = model.train()(inputs_embeds=x, use_cache=False).last_hidden_state
        model.eval()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            low = reference(x).float()
        print(f"transformers, Mamba-2: largest bound {float(limit.max()):.1e}")
        for name, y in (("training", training), ("under autocast to bfloat16", low)):
            difference = float((y - inference).abs().max())
            told(name, lambda d=difference: d, 1e-5, lambda y=y: assert_within_bound(y, reference, x))  # type: ignore[misc]


def main() -> None:
    torch.manual_seed(0)
    for package, test in (
        ("keras", keras_rms_norm),
        ("fla", fla_gated_delta_rule),
        ("transformers", transformers_mamba2),
    ):
        if importlib.util.find_spec(package) is None:
            print(f"{package} is not installed: its test is not run")
        else:
            test()


if __name__ == "__main__":
    main()
