"""State tracking: automata and groups, what they need of a circuit, and words that show whether a model tracks them.

One convention everywhere: the latest factor of a product stands on the left, as in `A_t ... A_1 h_0`
(`ssmverify.tracking.automata.group` has the worked example).
"""
