"""Threshold circuits: what a netlist is, and that the two evaluators agree on circuits of any shape and weight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssmverify.tracking.circuits.circuit import Circuit, Linear, constant, evaluate, evaluate_naively, wire


@st.composite
def circuits(draw: st.DrawFn) -> Circuit:
    """Banks on any earlier wires; weights from tiny to far beyond 64 bits."""
    circuit = Circuit(draw(st.integers(1, 5)))
    weights = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63), st.integers(-(2**200), 2**200))
    for _ in range(draw(st.integers(1, 5))):
        wires = circuit.inputs + circuit.size
        form = Linear(draw(st.dictionaries(st.integers(0, wires - 1), weights, max_size=4)), draw(weights))
        near = sorted(draw(st.lists(st.sampled_from([*form.weights.values(), 0, 2**62, 2**300]), max_size=3)))
        circuit.compare(form, [threshold + draw(st.integers(-1, 1)) + form.constant for threshold in near])
    wires = circuit.inputs + circuit.size
    circuit.outputs = tuple(draw(st.lists(st.integers(0, wires - 1), min_size=1, max_size=4)))
    return circuit


@settings(deadline=None, max_examples=150)
@given(circuits())
def test_the_evaluators_agree(circuit: Circuit) -> None:
    inputs = np.indices((2,) * circuit.inputs).reshape(circuit.inputs, -1).T.astype(bool)
    fast = evaluate(circuit, inputs).astype(int).tolist()
    assert fast == [evaluate_naively(circuit, row) for row in inputs.astype(int).tolist()]


@pytest.mark.parametrize("k", [30, 31, 32, 61, 62, 63, 64, 93, 94, 500])
def test_sums_at_the_edge_of_a_limb(k: int) -> None:
    """x 2**k - y (2**k - 1) + z decides by a difference of 1, of either sign."""
    circuit = Circuit(3)
    form = Linear({0: 2**k, 1: -(2**k) + 1, 2: 1})
    circuit.outputs = circuit.compare(form, [-(2**k) + 1, -(2**k) + 2, 0, 1, 2, 2**k, 2**k + 1, 2**k + 2])
    inputs = np.indices((2, 2, 2)).reshape(3, -1).T.astype(bool)
    expected = [evaluate_naively(circuit, row) for row in inputs.astype(int).tolist()]
    assert evaluate(circuit, inputs).astype(int).tolist() == expected
    assert len(set(map(tuple, expected))) == 7  # the sums that there are: both evaluators tell them apart


def test_depth_is_the_longest_path() -> None:
    circuit = Circuit(2)
    (a,) = circuit.compare(wire(0), [1])
    (b,) = circuit.compare(wire(a) + wire(1), [2])
    (c,) = circuit.compare(wire(b) + wire(0), [1])
    circuit.outputs = (b,)
    assert circuit.depth == 2
    circuit.outputs = (b, c)
    assert circuit.depth == 3
    assert circuit.layers == [1, 1, 1]
    assert circuit.wires == 5
    assert circuit.size == 3


def test_a_constant_moves_into_the_thresholds() -> None:
    circuit = Circuit(1)
    circuit.outputs = circuit.compare(wire(0) + constant(5), [5, 6, 7])
    assert evaluate_naively(circuit, [0]) == [1, 0, 0]
    assert evaluate_naively(circuit, [1]) == [1, 1, 0]


def test_unary_maps_any_function_without_a_gate() -> None:
    circuit = Circuit(3)
    count = circuit.unary(Linear({0: 1, 1: 1, 2: 1}), [(k, k) for k in range(4)])
    size = circuit.size
    form = count.map(lambda k: (5, -7, 10**30, 0)[k])
    assert circuit.size == size
    circuit.outputs = circuit.compare(form, [-7, 0, 5, 10**30])
    values = {k: evaluate_naively(circuit, [1] * k + [0] * (3 - k)) for k in range(4)}
    assert values == {0: [1, 1, 1, 0], 1: [1, 0, 0, 0], 2: [1, 1, 1, 1], 3: [1, 1, 0, 0]}


@settings(deadline=None, max_examples=100)
@given(circuits())
def test_trimming_changes_no_output(circuit: Circuit) -> None:
    trimmed = circuit.trimmed()
    inputs = np.indices((2,) * circuit.inputs).reshape(circuit.inputs, -1).T.astype(bool)
    assert (evaluate(trimmed, inputs) == evaluate(circuit, inputs)).all()
    assert trimmed.depth == circuit.depth
    assert trimmed.size <= circuit.size
    read = {source for gate in trimmed.gates() for source in gate.sources} | set(trimmed.outputs)
    assert read >= set(range(trimmed.inputs, trimmed.inputs + trimmed.size))


def test_a_deleted_gate_reads_0() -> None:
    circuit = Circuit(1)
    on, negated = circuit.compare(constant(0), [0]) + circuit.compare(Linear({0: -1}), [0])
    circuit.outputs = (on, negated)
    assert evaluate_naively(circuit.without(on), [0]) == [0, 1]
    assert evaluate_naively(circuit.without(negated), [0]) == [1, 0]
    assert evaluate_naively(circuit, [0]) == [1, 1]
    with pytest.raises(ValueError, match="0 is not the wire of a gate"):
        circuit.without(0)


def test_inputs_of_another_width_are_refused() -> None:
    circuit = Circuit(2)
    circuit.outputs = circuit.compare(wire(0), [1])
    with pytest.raises(ValueError, match="reads 2 bits, not 3"):
        evaluate(circuit, np.zeros((1, 3), bool))
    assert evaluate(circuit, np.zeros((0, 2), bool)).shape == (0, 1)
