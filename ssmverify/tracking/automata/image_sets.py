"""The groups in a transition monoid, found without enumerating it: by the sets of states that words lead to.

Let Y be the image of all states under some word. The words that send Y onto Y permute it; G(Y) is the group of these
permutations. Every maximal subgroup of the monoid is a G(Y): if e is its idempotent and Y the image of e, then for each
element m that sends Y onto Y the product "e, then m" is in the subgroup and acts on Y as m does. And every G(Y) divides
the monoid: it is a homomorphic image of the elements that send Y onto Y, and so of a subgroup among them. So a property
that subgroups and quotients inherit - trivial, a p-group, solvable of derived length k - holds for all maximal
subgroups exactly if it holds for all G(Y). (Linton, Pfeiffer, Robertson and Ruskuc 1998 compute a monoid's structure
from these sets.)

Along a strongly connected component of the sets, the G(Y) are isomorphic. Let u_Z be a word from its first set Y to
Z and v_Z one back, along trees. A loop at Y through Z_1, Z_2, ... by the letters a_1, a_2, ... acts as the product of
the u_Z a u_Z'^-1 of its edges, and u_Z a u_Z'^-1 = (u_Z a v_Z') (u_Z' v_Z')^-1, where u_Z' v_Z' is again of the form
u_W b v_W', with b the first letter of v_Z'. So the words u_Z a v_Z', for the edges Z -a-> Z' inside the component,
generate G(Y).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ssmverify.tracking.automata.automaton import Automaton, Word
from ssmverify.tracking.automata.group import Permutation
from ssmverify.tracking.automata.limits import Limits
from ssmverify.tracking.automata.orbit import Indices, Orbit, Rows, orbit

Generators = dict[Permutation, Word]  # permutations of 0..k-1, each with a word that makes it


def image_sets(automaton: Automaton, cap: int, limits: Limits | None = None) -> Orbit:
    """The sets of states that words make of the set of all states, as rows of 0 and 1; at most `cap`."""

    def image(row: Sequence[int]) -> Callable[[Rows], Rows]:
        by_target = np.argsort(row, kind="stable")
        targets, first = np.unique(np.take(row, by_target), return_index=True)

        def of(sets: Rows) -> Rows:
            images = np.zeros_like(sets)
            images[:, targets] = np.maximum.reduceat(sets[:, by_target], first, axis=1)
            return images

        return of

    everything = np.ones(automaton.states, np.uint8)
    return orbit(everything, [image(row) for row in automaton.delta], cap, limits)


def groups(automaton: Automaton, sets: Orbit) -> Iterator[tuple[tuple[int, ...], Generators]]:
    """A set of states and generators of its group, for each component whose group is not trivial.

    Of sets that stopped at the cap, the groups found are subgroups of those that are there.
    The permutations are of the set's places 0..k-1, in increasing order of the states.
    """
    sizes = sets.elements.sum(axis=1)
    onto = (sets.right >= 0) & (sizes[sets.right] == sizes[:, None]) & (sizes[:, None] > 1)
    edges = np.where(onto, sets.right, -1)  # a letter that makes a set smaller leads out of its component
    for component in components(edges):
        members = set(component)
        inner = {z: [(a, w) for a, w in enumerate(edges[z].tolist()) if w in members] for z in sorted(component)}
        if any(inner.values()):
            held = np.flatnonzero(sets.elements[min(component)]).tolist()
            states = tuple(state for state in held if state != automaton.beyond)
            if generators := _loops(automaton, states, inner):
                yield states, generators


Edges = dict[int, list[tuple[int, int]]]  # of each set: letters, and the sets they lead to


def _loops(automaton: Automaton, states: tuple[int, ...], edges: Edges) -> Generators:
    """The permutations of the first set by the words u_Z a v_Z', but the identity, each with the shortest such word."""
    there, back = _outward(automaton, states, edges), _homeward(automaton, edges)
    place = {state: i for i, state in enumerate(states)}
    found: Generators = {}
    for z, leaving in edges.items():
        images, before = there[z]
        for letter, w in leaving:
            home, after = back[w]
            permutation = tuple(place[home[automaton.delta[letter][s]]] for s in images)
            word = (*before, letter, *after)
            if len(word) < len(found.get(permutation, word + word)):
                found[permutation] = word
    found.pop(tuple(range(len(states))), None)
    return found


def _outward(automaton: Automaton, states: tuple[int, ...], edges: Edges) -> dict[int, tuple[tuple[int, ...], Word]]:
    """For each set Z the images of the first set's states under a shortest word u_Z, and the word."""
    first = next(iter(edges))
    there: dict[int, tuple[tuple[int, ...], Word]] = {first: (states, ())}
    queue = deque([first])
    while queue:
        z = queue.popleft()
        images, word = there[z]
        for letter, w in edges[z]:
            if w not in there:
                there[w] = tuple(automaton.delta[letter][s] for s in images), (*word, letter)
                queue.append(w)
    return there


def _homeward(automaton: Automaton, edges: Edges) -> dict[int, tuple[tuple[int, ...], Word]]:
    """For each set Z what a shortest word v_Z, from Z to the first set, does to every state, and the word."""
    entering: Edges = {z: [] for z in edges}
    for z, leaving in edges.items():
        for letter, w in leaving:
            entering[w].append((letter, z))
    first = next(iter(edges))
    back: dict[int, tuple[tuple[int, ...], Word]] = {first: (tuple(range(automaton.states)), ())}
    queue = deque([first])
    while queue:
        w = queue.popleft()
        home, word = back[w]
        for letter, z in entering[w]:
            if z not in back:
                back[z] = tuple(home[s] for s in automaton.delta[letter]), (letter, *word)
                queue.append(z)
    return back


def components(edges: Indices) -> Iterator[list[int]]:
    """The strongly connected components of the graph with edges i -> edges[i, a] where that is not -1 (Tarjan)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in range(len(edges)):
        path = [] if root in order else [root]
        while path:
            node = path[-1]
            if node not in order:
                order[node] = low[node] = len(order)
                stack.append(node)
                on_stack.add(node)
            nexts = [w for w in edges[node].tolist() if w >= 0]
            unseen = next((w for w in nexts if w not in order), None)
            if unseen is not None:
                path.append(unseen)
                continue
            path.pop()
            low[node] = min([low[node], *(low[w] for w in nexts if w in on_stack)])
            if low[node] == order[node]:
                component: list[int] = []
                while not component or component[-1] != node:
                    component.append(stack.pop())
                on_stack.difference_update(component)
                yield component
