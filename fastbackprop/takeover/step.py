"""One step of gradient descent, recognized in the terms of an iteration: forward, cost, backward, update."""

from __future__ import annotations

from dataclasses import dataclass

from fastbackprop.takeover.terms import Term, Terms, gradient_of_output


class NoStep(Exception):
    """What an iteration computes is no step of gradient descent; the message says what is missing."""


@dataclass(frozen=True)
class Step:
    """The parameters' variable, the terms of X, Y and the learning rate, and that of AL.

    ``entries`` maps variables that carry an entry of the parameters (W1, b1, ...) to its key; ``layers`` is the number of
    layers where the code spells them out, else None. ``same`` maps the terms of these variables to those of the entries.
    """

    parameters: str
    X: Term
    Y: Term
    rate: Term
    AL: Term
    entries: dict[str, str]
    layers: int | None
    same: dict[Term, Term]

    def is_cost(self, term: Term) -> bool:
        """Whether a term is the cost of this iteration."""
        return _replaced(term, self.same) == ("cost", self.AL, self.Y)


def find_step(terms: Terms) -> Step:
    """The step; raises NoStep."""
    updates = [  # "before": the dict itself is updated, and no variable is bound
        (name, term)
        for name, term in terms.values.items()
        if term[0] == "updated" and term[1] in (("carried", name), ("before", name))
    ]
    if len(updates) != 1:
        raise NoStep(
            "no variable takes the parameters that update_parameters makes from it" if not updates else "it updates twice"
        )
    ((name, updated),) = updates
    carried = updated[1]
    entries = {
        variable: term[2][2]
        for variable, term in terms.values.items()
        if term[0] == "item" and term[1] == updated and term[2][0] == "constant"
    }
    same = {("carried", variable): ("item", carried, ("constant", "str", key)) for variable, key in entries.items()}
    _, _, grads, rate = (_replaced(part, same) if isinstance(part, tuple) else part for part in updated)
    if grads[0] == "grads":
        _, AL, Y, caches = grads
        if AL[0] != "AL" or AL[2] != carried or caches != ("caches", *AL[1:]):
            raise NoStep("its gradients are not those of the forward pass of this iteration")
        step = Step(name, AL[1], Y, rate, AL, entries, None, same)
    elif grads[0] == "entry":
        step = _spelled_out(name, carried, grads, rate, entries, same)
    else:
        raise NoStep("its gradients are not those that the backward functions return")
    for what, term in (("X", step.X), ("Y", step.Y), ("the learning rate", step.rate)):
        if not _stays(term) or carried in _parts(term):
            raise NoStep(f"{what} changes from iteration to iteration")
    return step


def _spelled_out(name: str, parameters: Term, grads: Term, rate: Term, entries: dict[str, str], same: dict[Term, Term]) -> Step:
    """A step whose layers are written one by one (``two_layer_model``)."""
    found: dict[str, Term] = {}
    while grads[0] == "entry":
        found.setdefault(grads[2], grads[3])
        grads = grads[1]
    L = sum(key.startswith("dW") for key in found)
    last = found.get(f"dW{L}")
    if last is None or last[0] != "dW" or last[2][0] != "cache":
        raise NoStep("its gradients are not those that linear_activation_backward returns")
    dA, cache = last[1], last[2]
    AL = "A", *cache[1:]
    A, layers = AL, []
    for l in range(L, 0, -1):
        wanted = "sigmoid" if l == L else "relu"
        if A[0] != "A" or A[2:] != (_entry(parameters, f"W{l}"), _entry(parameters, f"b{l}"), ("constant", "str", wanted)):
            raise NoStep("its layers are not relu, and sigmoid in the end")
        layers.append(A)
        A = A[1]
    X, Y = A, _label(dA, AL)
    for l, A in zip(range(L, 0, -1), layers, strict=True):
        step = dA, ("cache", *A[1:]), A[4]
        if found.get(f"dW{l}") != ("dW", *step) or found.get(f"db{l}") != ("db", *step):
            raise NoStep("its gradients are not those of the forward pass of this iteration")
        dA = "dA", *step
    return Step(name, X, Y, rate, AL, entries, L, same)


def _entry(parameters: Term, key: str) -> Term:
    return "item", parameters, ("constant", "str", key)


def _label(dA: Term, AL: Term) -> Term:
    """Y, of which ``dA`` is the gradient of the cross-entropy at AL."""
    for part in _parts(dA):
        if part[0] == "divide" and part[2] == AL and dA == gradient_of_output(AL, part[1]):
            return part[1]
    raise NoStep("its dAL is not -(Y / AL - (1 - Y) / (1 - AL))")


def _parts(term: Term) -> list[Term]:
    return [term, *(found for part in term if isinstance(part, tuple) for found in _parts(part))]


def _replaced(term: Term, same: dict[Term, Term]) -> Term:
    if term in same:
        return same[term]
    return tuple(_replaced(part, same) if isinstance(part, tuple) else part for part in term)


def _stays(term: Term) -> bool:
    """Whether a term is the same in every iteration."""
    if term[0] == "before" or term[0] == "constant":
        return True
    return term[0] in ("attribute", "item") and all(_stays(part) for part in term[1:] if isinstance(part, tuple))
