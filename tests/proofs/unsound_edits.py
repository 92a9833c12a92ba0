"""Edits that make the kernel unsound, as data: whoever claims to guard the rules must notice each of them.

An edit replaces one passage of a file below `proofs/kernel/`, which occurs there exactly once. `rules` are the rules
that then prove something false, `why` says how.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    name: str
    file: str
    old: str
    new: str
    why: str
    rules: tuple[str, ...]


EDITS = (
    Edit(
        "denominators_are_no_hypotheses",
        "rules.py",
        "        found.add(Nonzero(x.denominator))\n",
        "        pass\n",
        "x y / y = x is false at y = 0, where a quotient may have any value",
        ("identity", "words"),
    ),
    Edit(
        "an_ideal_is_no_hypothesis",
        "rules.py",
        '    return _fact("identity", [*given, *_denominators((equation, *given))], equation)',
        '    return _fact("identity", _denominators((equation, *given)), equation)',
        "x = y follows from the equation x = y, and not from nothing",
        ("identity",),
    ),
    Edit(
        "rewriting_rules_are_no_hypotheses",
        "rules.py",
        "    return _fact(rule, [*rules, *_denominators((equation, *rules))], equation)",
        "    return _fact(rule, _denominators((equation, *rules)), equation)",
        "A B = C B follows from A = C, and not from nothing",
        ("words",),
    ),
    Edit(
        "an_inequality_is_given_for_an_equation",
        "entry.py",
        '_EQ = _closed("an Eq", Eq)',
        '_EQ = _closed("an Eq", *(c for c in FORMULAS if c.__name__ in ("Eq", "Le", "Lt")))',
        "0 <= 1 taken for an equation proves 0 = 1",
        ("identity", "words"),
    ),
    Edit(
        "an_inequality_rewrites",
        "rules.py",
        "    if not isinstance(fact.conclusion, Eq):\n",
        "    if not isinstance(fact.conclusion, Eq | Le):\n",
        "from x <= y, and x = x, follows x = y",
        ("rewrite",),
    ),
    Edit(
        "a_transposed_product_keeps_its_order",
        "normal.py",
        "    return tuple((matrix, not transposed) for matrix, transposed in reversed(word))",
        "    return tuple((matrix, not transposed) for matrix, transposed in word)",
        "the transpose of A B is B' A'",
        ("identity", "words"),
    ),
    Edit(
        "a_cut_forgets_what_the_lemma_needs",
        "rules.py",
        "remaining.union(*(b.hypotheses for b in by))",
        "remaining",
        "from y = 0 follows y = 0, so any hypothesis y = 0 could be cut away",
        ("discharge",),
    ),
    Edit(
        "an_index_may_become_negative",
        "rules.py",
        "        if not value.surely_nonnegative():\n",
        "        if False:\n",
        "0 <= t holds of natural numbers t, and not of t - 1",
        ("instantiate",),
    ),
    Edit(
        "a_special_case_may_be_negative",
        "rules.py",
        "    if not cast(Index, value).surely_nonnegative():\n",
        "    if False:\n",
        "0 <= t for every natural number t says nothing of -1",
        ("specialise",),
    ),
    Edit(
        "what_one_index_satisfies_holds_of_all",
        "rules.py",
        "    _require_fresh(variable, fact.hypotheses)\n",
        "",
        "from a_t = 0 does not follow that a_t = 0 for every t",
        ("generalise",),
    ),
    Edit(
        "a_position_is_not_shifted_under_a_binder",
        "terms.py",
        "result = result + _shifted(value, depth) * c",
        "result = result + value * c",
        "an index put under a further binder is captured by it",
        ("instantiate",),
    ),
    Edit(
        "a_range_that_may_hold_one_index_is_empty",
        "rules.py",
        "    if not (big.lo - big.hi - 1).surely_nonnegative():\n",
        "    if not (big.lo - big.hi).surely_nonnegative():\n",
        "the sum over 1..1 of a_i is a_1",
        ("empty",),
    ),
    Edit(
        "any_range_is_single",
        "rules.py",
        "    if big.lo != big.hi:\n",
        "    if False:\n",
        "the sum over 1..2 of a_i is not a_1",
        ("single",),
    ),
    Edit(
        "split_needs_no_order",
        "rules.py",
        '    return _fact("split", needed, Eq(big, whole))',
        '    return _fact("split", [], Eq(big, whole))',
        "the sum over 1..0, cut after 3, would count three indices",
        ("split",),
    ),
    Edit(
        "the_later_part_stands_on_the_right",
        "rules.py",
        "Mul((late, early))",
        "Mul((early, late))",
        "matrices do not commute, and the latest factor of a product stands on the left",
        ("split",),
    ),
    Edit(
        "a_factor_with_the_bound_variable_moves_out",
        "rules.py",
        "    _require_fresh(i, [left, *after])\n",
        "",
        "the sum of i a_i is not i times the sum of a_i",
        ("linear",),
    ),
    Edit(
        "hypotheses_about_one_member_serve_all",
        "rules.py",
        '    return _fact("congruence", _quantified(rest, i), conclusion, fact)',
        '    return _fact("congruence", rest, conclusion, fact)',
        "from a_i = b_i at one i do not follow equal sums",
        ("congruence",),
    ),
    Edit(
        "a_range_may_be_negative",
        "rules.py",
        "    if not lo.surely_nonnegative():\n",
        "    if False:\n",
        "0 <= i holds of natural numbers, and the sum over -2..0 of i is -3",
        ("congruence",),
    ),
    Edit(
        "a_range_may_mention_its_own_variable",
        "rules.py",
        "    _require_fresh(i, [lo, hi])\n",
        "",
        "the hypothesis i <= 2 - i is discharged, but the sum runs beyond it to 2 - i for another i",
        ("congruence",),
    ),
    Edit(
        "factors_that_are_less_have_a_product_that_is_less",
        "rules.py",
        "isinstance(relation, Le) and kind is Sum",
        "isinstance(relation, Le)",
        "-2 <= -1 and yet 4 > 1",
        ("congruence",),
    ),
    Edit(
        "one_step_serves_every_step",
        "rules.py",
        "    others = _quantified(step.hypotheses - {statement}, variable)\n",
        "    others = list(step.hypotheses - {statement})\n",
        "a recurrence that holds at one t says nothing of the others",
        ("induction",),
    ),
    Edit(
        "a_sum_of_positives_is_positive",
        "signs.py",
        "lo.surely_nonnegative() and not (strict and isinstance(t, Sum))",
        "lo.surely_nonnegative()",
        "a sum may be empty",
        ("squares",),
    ),
    Edit(
        "a_square_is_positive",
        "signs.py",
        "        elif x in factors and not strict:\n",
        "        elif x in factors:\n",
        "0 * 0 is not positive",
        ("squares",),
    ),
    Edit(
        "what_is_not_negative_is_not_zero",
        "rules.py",
        "    if isinstance(fact.conclusion, Lt) and fact.conclusion.lhs == ZERO:\n",
        "    if isinstance(fact.conclusion, Lt | Le) and fact.conclusion.lhs == ZERO:\n",
        "0 <= 0",
        ("apart",),
    ),
    Edit(
        "the_difference_need_not_be_fresh",
        "rules.py",
        "    if delta in symbols((goal, *difference.hypotheses, *given)) or delta.arity != goal.symbol.arity:\n",
        "    if delta.arity != goal.symbol.arity:\n",
        "a premise about one difference would serve for every competitor",
        ("minimiser",),
    ),
    Edit(
        "a_gap_may_be_negative",
        "rules.py",
        "    used = plain(gap, given)\n    if used is None:\n",
        "    used = plain(gap, given) or set()\n    if False:\n",
        "s² - 4 s² has no minimum",
        ("minimiser",),
    ),
    Edit(
        "the_upper_ends_of_a_box_are_no_hypotheses",
        "rules.py",
        "for h in (Le(term(lo), a), Le(a, term(hi)))]",
        "for h in (Le(term(lo), a),)]",
        "x <= 1 holds on 0..1 only",
        ("enclosure",),
    ),
    Edit(
        "one_half_of_a_box_will_do",
        "signs.py",
        "    return all(bounded(value,",
        "    return any(bounded(value,",
        "a bound on half of a box is none on the other",
        ("enclosure",),
    ),
    Edit(
        "a_quantifier_looks_at_nought_only",
        "evaluation.py",
        "            beyond = max(_last_exception(body, 0, point) + 1, 0)\n",
        "            beyond = 0\n",
        "a table may have its exception at 1",
        ("refute", "cases"),
    ),
    Edit(
        "a_shifted_index_reaches_no_farther",
        "evaluation.py",
        "    return abs(i.constant)\n",
        "    return 0\n",
        "a_{t - 3} meets an exception at 0 when t is 3",
        ("refute", "cases"),
    ),
    Edit(
        "a_point_need_not_meet_the_hypotheses",
        "rules.py",
        "        if violated := [h for h in sequent.hypotheses if not holds(h, point)]:\n",
        "        if violated := [h for h in () if not holds(h, point)]:\n",
        "a point outside the hypotheses refutes nothing",
        ("refute", "cases"),
    ),
)
