"""What rounding does to state tracking: named arithmetics, exact evaluators, and the automata of rounded layers."""
