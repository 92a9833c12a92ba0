"""What is refused, and why, by name."""

from __future__ import annotations

from ssmverify.bounds.registry import refuse

refuse(
    "fused attention evaluates in an order of its own; its composite form is bounded: "
    "wrap the call in torch.nn.attention.sdpa_kernel(SDPBackend.MATH)",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable",
    "_native_multi_head_attention",
    "_transformer_encoder_layer_fwd",
)
refuse(
    "the fused LSTM evaluates in an order of its own; its composite form is bounded: "
    "set torch.backends.mkldnn.enabled = False around the call, or write the cell out",
    "mkldnn_rnn_layer",
    "_thnn_fused_lstm_cell",
    "_cudnn_rnn",
)
refuse("a convolution by MKL-DNN may not be direct; call it without torch.compile", "mkldnn_convolution")
refuse(
    "which of two equal numbers comes first is decided by their errors", "topk", "sort", "kthvalue", "median", "mode"
)
refuse("the index of a maximum may come out either way within the errors", "argmax", "argmin", "argsort")
refuse(
    "how they round between the ends is not stated; make the numbers outside and pass them in", "linspace", "logspace"
)
refuse(
    "their backward errors are not bounded entry by entry; write the substitution out",
    "linalg_solve_triangular",
    "linalg_solve_ex",
    "_linalg_solve_ex",
    "linalg_inv_ex",
    "linalg_cholesky_ex",
    "_linalg_svd",
    "_linalg_eigh",
    "linalg_matrix_exp",
)
