"""The checks are checked: each can fail, and a toothless one is caught."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from flint import fmpq
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from torch import Tensor

import proofs.longhorn.update
from proofs.kernel import Claim, Fact, assume, identity, refute, squares
from proofs.tactics.equations import equal
from proofs.terms import And, Eq, Identity, Le, Lt, UniqueMinimiser, scalar, size, term
from ssmverify import Layer, Mutant, Source, Theorem, check
from ssmverify.catalogue.longhorn.update import closed_form, diagonal_objective, exact_layer
from ssmverify.catalogue.recurrence import unrolled
from ssmverify.checking.comparison import equivalence, foreign, weaker
from ssmverify.checking.mutants import claim_mutants
from ssmverify.checking.search import Effort
from ssmverify.errors import BadInput
from ssmverify.strategies import exact, floats, points, rationals, tensors
from ssmverify.verdict import CAUTION, FAILED, FELL, HOLDS, HOLDS_FURTHER, REFUTED, STATUSES, MutantResult, Verdict

x, y = scalar("x"), scalar("y")
square = Claim("test.square", Eq((x + y) * (x + y), x * x + 2 * x * y + y * y))


def prove_square() -> Fact:
    return identity((x + y) * (x + y), x * x + 2 * x * y + y * y)


def pairs() -> SearchStrategy[Mapping[str, Any]]:
    return points(x=rationals(), y=rationals())


wrong = Mutant("without the mixed term", claim=replace(square, conclusion=Eq((x + y) * (x + y), x * x + y * y)))


def theorem(**changes: Any) -> Theorem:
    given: dict[str, Any] = {"claim": square, "proof": prove_square, "instances": pairs, "mutants": (wrong,)}
    return Theorem(**{**given, **changes})


def test_a_true_claim_holds() -> None:
    verdict = check(theorem())
    assert (verdict.status, verdict.problems) == (HOLDS, [])
    assert all(m.outcome == "refuted" for m in verdict.mutants)


def test_the_harness_breaks_every_claim_that_holds_and_none_that_is_refuted() -> None:
    own = {description for description, _ in claim_mutants(square)}
    assert own
    assert {m.description for m in check(theorem()).mutants} == {wrong.description} | own
    false = replace(square, conclusion=Eq(x, y))
    row = theorem(claim=false, proof=lambda: refute(false.sequent, {"x": fmpq(0), "y": fmpq(1)}))
    refuted = check(replace(row, mutants=(Mutant("x = 2y", claim=replace(false, conclusion=Eq(x, 2 * y))),)))
    assert [m.description for m in refuted.mutants] == ["x = 2y"]


def test_searches_that_know_nothing_of_one_another_draw_differently() -> None:
    drawn: list[list[int]] = []

    def none(n: int) -> bool:
        drawn[-1].append(n)
        return False

    for seed, search in ((1, 0), (1, 1), (1, 2), (7, 0), (7, 1), (7, 2), (7, 2)):
        drawn.append([])
        assert Effort(seed=seed).any_input(st.integers(0, 2**60), none, range(search, search + 1), each=5) is None
    *rest, last, again = (tuple(numbers) for numbers in drawn)
    assert len({*rest, last}) == 6
    assert last == again


def test_a_false_claim_fails_with_a_small_counterexample() -> None:
    false = replace(square, conclusion=Eq((x + y) * (x + y), x * x + y * y))
    verdict = check(theorem(claim=false, proof=lambda: identity(false.conclusion.lhs, false.conclusion.rhs)))  # type: ignore[attr-defined]
    assert verdict.status == FELL
    assert any("the claim is false at" in problem for problem in verdict.problems)
    assert verdict.counterexample == "x = 1, y = 1"


def test_a_proof_of_something_else_does_not_count() -> None:
    verdict = check(theorem(proof=lambda: identity(term(0), term(0))))
    assert verdict.status == FELL
    assert "proves another statement" in verdict.problems[0]


def test_a_proof_that_raises_is_a_failure_not_a_crash() -> None:
    verdict = check(theorem(proof=lambda: identity(x, x.T @ Identity(size("n")))))
    assert verdict.status == FELL
    assert "TypeError" in verdict.problems[0]


def test_a_refutation_of_something_else_does_not_count() -> None:
    other = Claim("other", Eq(x, y))
    verdict = check(theorem(proof=lambda: refute(other.sequent, {"x": fmpq(0), "y": fmpq(1)})))
    assert verdict.status == FELL
    assert "what is shown is about another statement" in verdict.problems[0]


def test_a_refuted_claim_is_refuted_as_read() -> None:
    false = replace(square, conclusion=Eq(x, y))
    row = theorem(claim=false, proof=lambda: refute(false.sequent, {"x": fmpq(0), "y": fmpq(1)}))
    row = replace(row, mutants=(Mutant("x = 2y", claim=replace(false, conclusion=Eq(x, 2 * y))),))
    assert check(row).status == CAUTION, "nobody is quoted who said so"
    verdict = check(replace(row, source=Source("somebody", words="all numbers are equal")))
    assert (verdict.status, verdict.problems) == (REFUTED, [])
    assert verdict.counterexample == "x = 0, y = 1"


def test_a_hypothesis_of_our_own_is_shown_in_the_status() -> None:
    positive = Le(term(0), x)
    claim = Claim("test.sign", positive, {"x_nonnegative": positive}, {"x": fmpq(1)}, frozenset({"x_nonnegative"}))
    instances = lambda: points(x=rationals(0, 3))  # noqa: E731
    broken = Mutant("x <= 0", claim=replace(claim, conclusion=Le(x, term(0))))
    verdict = check(Theorem(claim, lambda: assume(positive), instances, (broken,)))
    assert (verdict.status, verdict.problems) == (HOLDS_FURTHER, [])


def test_instances_outside_the_hypotheses_are_a_failure_not_a_pass() -> None:
    claim = Claim("test.sign", Le(term(0), x), {"x_nonnegative": Le(term(0), x)}, {"x": fmpq(1)})
    broken = Mutant("x <= 0", claim=replace(claim, conclusion=Le(x, term(0))))
    verdict = check(Theorem(claim, lambda: assume(claim.conclusion), lambda: points(x=st.just(fmpq(-1))), (broken,)))
    assert any("decides nothing" in problem for problem in verdict.problems)


def test_instances_that_cannot_be_drawn_are_a_failure_not_a_crash() -> None:
    def absent() -> SearchStrategy[Mapping[str, Any]]:
        raise KeyError("k")

    verdict = check(theorem(instances=absent))
    assert verdict.problems == ["the instances cannot be drawn: KeyError: 'k'"]


def test_an_equivalent_author_mutant_is_listed_with_its_proof() -> None:
    same = Mutant("terms swapped", claim=replace(square, conclusion=Eq((x + y) * (x + y), y * y + 2 * y * x + x * x)))
    (first, *_) = check(theorem(mutants=(same,))).mutants
    assert first.outcome == "equivalent"
    assert "=" in first.shown_by


def test_a_toothless_check_is_caught_by_its_mutants() -> None:
    verdict = check(theorem(instances=lambda: points(x=st.just(fmpq(0)), y=st.just(fmpq(0)))))
    assert any("a mutant survived" in problem for problem in verdict.problems)


# ------------------------------------------------------------------------------------- mutants that show nothing
def test_a_theorem_none_of_whose_mutants_is_refuted_fails() -> None:
    one = Claim("test.square_of_x", Eq(x * x, x * x))  # it has no sign, term or order that the harness could break
    same = Mutant("the same", claim=replace(one, conclusion=Eq(x * x, term(1) * x * x)))
    verdict = check(theorem(claim=one, proof=lambda: identity(x * x, x * x), mutants=(same,)))
    assert "no mutant of the claim was refuted by a wrong value" in verdict.problems[-1]
    assert verdict.status == FAILED


def test_what_refutes_a_mutant_of_a_layer_credits_no_claim_nor_another_layer() -> None:
    one = Claim("test.square_of_x", Eq(x * x, x * x))
    row = theorem(
        claim=one,
        proof=lambda: identity(x * x, x * x),
        mutants=(Mutant("tripled", run=lambda x: (3 * x,)),),
        layers=(layer(),),
    )
    assert any("no mutant of the claim" in problem for problem in check(row).problems)
    toothless = layer(name="toothless", bound=lambda x: (torch.full_like(x, float("inf"), dtype=torch.float64),))
    problems = check(theorem(layers=(layer(), toothless))).problems
    assert any("toothless" in problem for problem in problems)  # a bound that nothing reaches is found out before


def mutated(conclusion: Any, **changes: Any) -> MutantResult:
    """What becomes of one claim of an author's; the instances are all zero, so that none is refuted."""
    claim = replace(square, conclusion=conclusion, **changes)
    zero = lambda: points(x=st.just(fmpq(0)), y=st.just(fmpq(0)))  # noqa: E731
    return check(theorem(mutants=(Mutant("tried", claim=claim),), instances=zero)).mutants[0]


@pytest.mark.parametrize(
    ("conclusion", "why"),
    [
        (Eq(term(0), term(1)), "names nothing that the claim names"),
        (Eq(scalar("z"), term(1)), "it speaks of z"),
        (Eq(x, scalar("z")), "it speaks of z"),
    ],
)
def test_a_mutant_of_something_else_is_none(conclusion: Any, why: str) -> None:
    result = mutated(conclusion)
    assert (result.outcome, why in result.shown_by) == ("foreign", True)
    other = Mutant("other", claim=replace(square, conclusion=conclusion))
    assert any("is none of this claim" in problem for problem in check(theorem(mutants=(wrong, other))).problems)


def test_a_mutant_of_the_hypotheses_alone_is_none() -> None:
    positive = Le(term(0), x)
    claim = Claim("test.positive", Le(term(0), x + x), {"x_nonnegative": positive}, {"x": fmpq(1)})
    assert foreign(claim, replace(claim, conclusion=Eq(term(0), term(1)))) == "it names nothing that the claim names"
    assert foreign(claim, replace(claim, conclusion=Le(x + x, term(0)))) == ""


@pytest.mark.parametrize(
    "conclusion",
    [
        Eq(x + y, x * x + 2 * x * y + y * y),  # another left side
        Le((x + y) * (x + y), x * x + 2 * x * y + y * y),  # another relation
        And((square.conclusion, Eq(x, y))),  # more is said
    ],
)
def test_a_mutant_that_changes_more_than_a_right_side_is_not_equivalent(conclusion: Any) -> None:
    assert mutated(conclusion).outcome == "survived"


def test_a_mutant_with_other_hypotheses_is_not_equivalent() -> None:
    result = mutated(square.conclusion, hypotheses={"zero": Eq(x, term(0))}, witness={"x": fmpq(0), "y": fmpq(0)})
    assert result.outcome == "survived"


def test_a_minimiser_of_something_else_is_not_equivalent() -> None:
    original = proofs.longhorn.update.closed_form.claim
    least = original.conclusion
    assert isinstance(least, UniqueMinimiser)
    other = replace(original, conclusion=replace(least, objective=2 * least.objective + 1))
    twice = least.objective + least.objective
    respelt = replace(original, conclusion=replace(least, objective=twice - least.objective))
    assert equivalence(original, other) == ""
    assert equivalence(original, respelt)


def test_a_weaker_mutant_bounds_the_same_thing() -> None:
    bounded = theorem(claim=Claim("test.bound", Le(-x * x, term(0))))
    effort = Effort(examples=5)
    assert weaker(bounded, replace(bounded.claim, conclusion=Le(-x * x, y * y)), effort)
    for other in (Le(-x, y * y), Lt(-x * x, y * y), Eq(-x * x, y * y), Le(-x * x, -y * y)):
        assert not weaker(bounded, replace(bounded.claim, conclusion=other), effort)


def test_the_harness_breaks_a_claim_that_holds_and_none_that_is_refuted() -> None:
    own = [what for what, _ in claim_mutants(square)]
    assert own
    assert [m.description for m in check(theorem()).mutants] == [wrong.description, *own]
    false = replace(square, conclusion=Eq(x, y + x * y))
    row = theorem(
        claim=false,
        proof=lambda: refute(false.sequent, {"x": fmpq(1), "y": fmpq(1)}),
        mutants=(Mutant("x = 2y", claim=replace(false, conclusion=Eq(x, 2 * y))),),
    )
    assert [m.description for m in check(row).mutants] == ["x = 2y"]


def test_searches_that_know_nothing_of_one_another_draw_other_inputs() -> None:
    first = list[int]()

    def note(n: int) -> bool:
        first.append(n)
        return False

    Effort(seed=1).any_input(st.integers(0, 2**64), note, range(4), each=3)
    runs = [tuple(first[i : i + 3]) for i in range(0, 12, 3)]
    assert len(set(runs)) == 4


# ------------------------------------------------------------------------------- claims that say less than it seems
def test_a_claim_that_is_its_own_hypothesis_is_trivial() -> None:
    positive = Le(term(0), x)
    claim = Claim("test.sign", positive, {"x_nonnegative": positive}, {"x": fmpq(1)})
    broken = Mutant("x <= 0", claim=replace(claim, conclusion=Le(x, term(0))))
    verdict = check(Theorem(claim, lambda: assume(positive), lambda: points(x=rationals(0, 3)), (broken,)))
    assert (verdict.status, verdict.decided_by) == (HOLDS, "trivial")


def test_one_formula_under_two_names_is_a_further_hypothesis_if_either_is() -> None:
    positive = Le(term(0), x)
    both = {"x_nonnegative": positive, "as_the_source_says": positive}
    for further in both:
        claim = Claim("test.sign", positive, both, {"x": fmpq(1)}, frozenset({further}))
        broken = Mutant("x <= 0", claim=replace(claim, conclusion=Le(x, term(0))))
        verdict = check(Theorem(claim, lambda: assume(positive), lambda: points(x=rationals(0, 3)), (broken,)))
        assert verdict.status == HOLDS_FURTHER


# ---------------------------------------------------------------------------------- verdicts that cannot be misread
def test_a_verdict_is_true_exactly_if_it_is_green() -> None:
    assert check(theorem())
    assert not Verdict("test.late", HOLDS, "-", "-", "", undecided=True)
    assert not Verdict("test.wrong", HOLDS, "-", "-", "", problems=["a layer is wrong"])


def test_the_status_of_what_failed_is_not_that_of_its_proof() -> None:
    verdict = check(theorem(layers=(layer(lambda x: (x + x + 1,)),)))
    assert (verdict.status, bool(verdict)) == (FAILED, False)
    survived = check(theorem(instances=lambda: points(x=st.just(fmpq(0)), y=st.just(fmpq(0)))))
    assert survived.status == FAILED


def test_the_status_of_what_ran_out_of_time_is_not_that_of_its_proof() -> None:
    def slow() -> SearchStrategy[Mapping[str, Any]]:
        return pairs().map(lambda point: [time.sleep(0.05), point][1])

    verdict = check(theorem(instances=slow), budget=0.3)
    assert (verdict.undecided, verdict.status, bool(verdict)) == (True, FELL, False)


@pytest.mark.parametrize("budget", [0, -1.0, float("nan"), float("inf")])
def test_a_budget_is_a_number_of_seconds(budget: float) -> None:
    with pytest.raises(BadInput, match="give seconds"):
        check(theorem(), budget=budget)


class Outside(BaseException):
    """What an `except Exception` lets through."""


@pytest.mark.parametrize("error", [SystemExit(0), Outside("of Exception"), RecursionError(), MemoryError()])
@pytest.mark.parametrize("part", ["proof", "instances", "layer", "inputs", "exact", "mutant"])
def test_whatever_a_row_raises_is_its_own_problem(error: BaseException, part: str) -> None:
    def leaves(*_: Any, **__: Any) -> Any:
        raise error

    row = {
        "proof": lambda: theorem(proof=leaves),
        "instances": lambda: theorem(instances=leaves),
        "layer": lambda: theorem(layers=(layer(leaves),)),
        "inputs": lambda: theorem(layers=(layer(inputs=leaves),)),
        "exact": lambda: theorem(layers=(layer(exact=leaves),)),
        "mutant": lambda: theorem(layers=(layer(),), mutants=(Mutant("leaves", run=leaves),)),
    }[part]()
    verdict = check(row, examples=4)
    assert verdict.problems
    assert not verdict
    assert verdict.status in STATUSES


@pytest.mark.parametrize("strategy", [st.nothing(), st.just({}).filter(lambda _: False)])
def test_no_instance_and_no_input_is_a_sentence(strategy: SearchStrategy[Any]) -> None:
    assert "the instances cannot be drawn" in check(theorem(instances=lambda: strategy)).problems[0]
    assert check(theorem(layers=(layer(inputs=lambda _: strategy),))).status == FAILED


@pytest.mark.parametrize("dtypes", [("float8",), (), (32,), ("float32", "int8")])
def test_a_layer_runs_in_dtypes_that_are_some(dtypes: Any) -> None:
    with pytest.raises(BadInput, match="give dtypes= of float32 and float64"):
        layer(dtypes=dtypes)


@pytest.mark.parametrize("number", [5, 1, -1])
def test_a_mutant_breaks_a_layer_that_is_there(number: int) -> None:
    with pytest.raises(BadInput, match=f"breaks layer {number}, but the layers are 0"):
        theorem(layers=(layer(),), mutants=(Mutant("none", run=doubled, layer=number),))


@pytest.mark.parametrize("name", ["", "a\nok   mine.other: holds", "Mine.square", "mine..square", "[red]mine", "mine "])
def test_a_name_cannot_forge_a_line(name: str) -> None:
    with pytest.raises((BadInput, TypeError), match=r"a row cannot be called|are named by a str on one line"):
        theorem(claim=replace(square, name=name))


def test_a_theorem_without_mutants_is_refused() -> None:
    with pytest.raises(BadInput, match="has no mutants"):
        theorem(mutants=())


# ------------------------------------------------------------------------------------------------------- layers
def doubled(x: Tensor) -> tuple[Tensor, ...]:
    return (x + x,)


def layer(run: Callable[..., tuple[Tensor, ...]] = doubled, **changes: Any) -> Layer:
    given: dict[str, Any] = {
        "name": "doubled",
        "run": run,
        "exact": lambda x: (2 * exact(x),),
        "bound": lambda x: (torch.zeros_like(x, dtype=torch.float64),),  # doubling is exact
        "inputs": lambda dtype: st.fixed_dictionaries({"x": tensors((2,), dtype, floats(dtype))}),
    }
    return Layer(**{**given, **changes})


def test_an_exact_layer_needs_no_tolerance() -> None:
    verdict = check(theorem(layers=(layer(formulas=(doubled,)),)))
    assert verdict.problems == []
    assert {r.worst for r in verdict.layers if r.device == "cpu"} == {0.0}


def test_an_error_in_the_last_bit_is_a_violation() -> None:
    nudged = lambda x: (torch.nextafter(x + x, torch.full_like(x, 9)),)  # noqa: E731
    verdict = check(theorem(layers=(layer(nudged),)))
    assert any("error / bound = inf" in problem for problem in verdict.problems)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_output_that_is_not_finite_fails_a_layer_and_kills_no_mutant(value: float) -> None:
    broken = lambda x: (torch.full_like(x, value),)  # noqa: E731
    assert any("not finite" in problem for problem in check(theorem(layers=(layer(broken),))).problems)
    verdict = check(theorem(layers=(layer(),), mutants=(Mutant("all NaN", run=broken),)))
    assert verdict.mutants[0].outcome == "survived"


def test_an_exception_fails_a_layer_and_kills_no_mutant() -> None:
    def broken(x: Tensor) -> tuple[Tensor, ...]:
        raise RuntimeError("no such operator")

    assert any("no such operator" in problem for problem in check(theorem(layers=(layer(broken),))).problems)
    verdict = check(theorem(layers=(layer(),), mutants=(Mutant("raises", run=broken),)))
    assert verdict.mutants[0].outcome == "ill-typed"
    assert any("not a program" in problem for problem in verdict.problems)


def third(x: Tensor) -> tuple[Tensor, ...]:
    return x / 3, x + x


def thirds(units: float, **changes: Any) -> Layer:
    """x/3, with a bound of so many u |x|/3, and 2x, which is exact."""

    def bound(x: Tensor) -> tuple[Tensor, ...]:
        size = x.double().abs()
        u = torch.finfo(x.dtype).eps / 2
        return units * (u * size / 3 + torch.finfo(x.dtype).tiny * 2 * u), torch.zeros_like(size)

    return layer(third, exact=lambda x: (exact(x) / 3, 2 * exact(x)), bound=bound, **changes)


def test_a_bound_is_to_be_tight_as_well() -> None:
    assert check(theorem(layers=(thirds(1.25),))).problems == []
    problems = check(theorem(layers=(thirds(40, dtypes=("float32",)),))).problems
    assert any("no error was found that reaches 0.1 of it, but 0.01" in problem for problem in problems)
    assert any("of output 1; tighten it" in problem for problem in problems)
    assert check(theorem(layers=(thirds(40, reaches=0.01, loose="It is to be so here."),))).problems == []


def test_a_tight_bound_of_one_output_hides_no_loose_one_of_another() -> None:
    both = layer(
        lambda x: (*third(x)[:1], *third(x)[:1]),
        exact=lambda x: (exact(x) / 3, exact(x) / 3),
        bound=lambda x: (*thirds(1.25).bound(x)[:1], *thirds(300).bound(x)[:1]),
        dtypes=("float32",),
    )
    problems = check(theorem(layers=(both,))).problems
    assert any("of output 2; tighten it" in problem and "output 1" not in problem for problem in problems)


@pytest.mark.parametrize("given", [{"reaches": 0.0}, {"reaches": 1.5}, {"reaches": 0.05}, {"loose": "why not"}])
def test_a_loose_bound_says_why_and_no_other_does(given: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="give a fraction up to 1"):
        layer(**given)


def test_a_bound_that_is_too_wide_lets_the_lower_precision_survive() -> None:
    coarse = layer(
        lambda x: ((x + x).bfloat16().to(x.dtype),),
        bound=lambda x: (2.0**-8 * (x + x).double().abs() + 2.0**-133,),  # tight, of bfloat16
    )
    problems = check(theorem(layers=(coarse,))).problems
    assert any("computed in bfloat16" in problem for problem in problems)


def test_an_input_that_is_no_number_is_named() -> None:
    nan = layer(
        inputs=lambda dtype: st.just({"x": torch.tensor([float("nan")], dtype=dtype)}), run=lambda x: (x * 0 + 1,)
    )
    problems = check(theorem(layers=(nan,))).problems
    assert any("finite" in problem for problem in problems)


def test_the_exact_layer_in_float32_is_refuted_under_the_bound_of_float64() -> None:
    verdict = check(replace(closed_form, layers=(exact_layer,)), examples=20)
    outcomes = {m.description: m.outcome for m in verdict.mutants}
    assert outcomes["numeric.longhorn.longhorn: float64 computed in float32"] == "refuted"
    assert outcomes["numeric.longhorn.longhorn: float32 computed in bfloat16"] == "refuted"


def test_the_time_given_ends_in_undecided() -> None:
    verdict = check(diagonal_objective, budget=0.01)
    assert verdict.undecided
    assert not verdict.green


def test_a_seed_reproduces_a_run() -> None:
    first, second = (check(unrolled, examples=10, seed=7) for _ in range(2))
    assert [r.worst for r in first.layers] == [r.worst for r in second.layers]
    assert [m.shown_by for m in first.mutants] == [m.shown_by for m in second.mutants]


def test_a_fact_of_another_author_is_a_premise() -> None:
    theirs = theorem()
    goal = Eq((x + y) * (x + y) - 2 * x * y, x * x + y * y)

    def prove() -> Fact:
        return equal(goal.lhs, goal.rhs, theirs.fact)

    broken = Mutant("a minus", claim=Claim("wrong", replace(goal, rhs=x * x - y * y)))
    mine = Theorem(Claim("mine", goal), prove, pairs, (broken,))
    assert check(mine).problems == []
    assert theirs.fact in mine.fact.steps()


def test_a_mutant_that_drops_a_hypothesis_is_refuted_beyond_it() -> None:
    bounded = Claim("test.bounded", Le(x * x, x), {"nonnegative": Le(term(0), x), "at_most_1": Le(x, term(1))})
    gap = x * (1 - x)
    proved = theorem(
        claim=bounded,
        proof=lambda: squares(x * x, x, gap, list(bounded.hypotheses.values())),
        instances=None,
        mutants=(Mutant("any x >= 0", claim=replace(bounded, hypotheses={"nonnegative": Le(term(0), x)})),),
    )
    found = check(proved, examples=20)
    assert [m.outcome for m in found.mutants if m.description == "any x >= 0"] == ["refuted"]
