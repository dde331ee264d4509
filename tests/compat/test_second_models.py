"""The trainings of the second course: parameters, lines and pictures of loops in NumPy, and costs that many recorded."""

import signal
import sys

import matplotlib
import numpy as np
import pytest

from fastbackprop.compat import init_utils, opt_utils, opt_utils_v1a, reg_utils
from fastbackprop.slices import running

from ..support.three_layers import assert_close, backward, cost, forward

matplotlib.use("Agg")
RTOL, ATOL = 1e-9, 1e-12  # the bound of trainings; ATOL for weights near 0 among others near 1

# Every thousandth cost of the notebook's training from the start of He, on its circles: the same in all repositories.
HE_COSTS = [
    *(0.8830537463419761, 0.6879825919728063, 0.6751286264523371, 0.6526117768893807, 0.6082958970572938),
    *(0.5304944491717495, 0.4138645817071794, 0.3117803464844441, 0.23696215330322562, 0.18597287209206836),
    *(0.1501555628037182, 0.12325079292273548, 0.09917746546525937, 0.0845705595402428, 0.07357895962677366),
]
# Costs of epochs 0 and 1000 of the optimizers' notebooks on their moons, as both generations print them.
OPTIMIZER_COSTS = {
    (opt_utils, "gd"): ("0.690736", "0.685273"), (opt_utils, "momentum"): ("0.690741", "0.685341"),
    (opt_utils_v1a, "gd"): ("0.702405", "0.668101"), (opt_utils_v1a, "momentum"): ("0.702413", "0.668167"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def figure(monkeypatch):
    """What was shown: costs, axes' labels and title of each picture."""
    from matplotlib import pyplot as plt

    shown = []

    def show():
        axes = plt.gca()
        (line,) = axes.get_lines()
        shown.append((np.asarray(line.get_ydata()).tolist(), axes.get_ylabel(), axes.get_xlabel(), axes.get_title()))
        plt.close("all")

    monkeypatch.setattr(plt, "show", show)
    yield shown
    plt.close("all")


def examples(m=30, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2, m))
    return X, (X[:1] * X[1:] > 0).astype(int)


def lines(capsys):
    """The printed lines, each as what stands before its number, and the number."""
    return [(head, float(number)) for head, _, number in (x.rpartition(": ") for x in capsys.readouterr().out.splitlines())]


def descend(X, Y, parameters, rate, iterations, lambd=0, keep_prob=1):
    """The parameters after full-batch gradient descent in NumPy, and the costs of every thousandth iteration."""
    costs: list = []
    masks: list = [1, 1]
    for i in range(iterations):
        if keep_prob < 1:
            np.random.seed(1)
            masks = [np.random.rand(len(parameters[W]), X.shape[1]) < keep_prob for W in ("W1", "W2")]
        a3, seen = forward(X, parameters, masks, keep_prob)
        if i % 1000 == 0:
            costs.append(cost(a3, Y, parameters, lambd))
        grads = backward(X, Y, seen, lambd, masks, keep_prob)
        parameters = {key: value - rate * grads[f"d{key}"] for key, value in parameters.items()}
    return parameters, costs


# ---------------------------------------------------------------------------------------------------------------- starts


@pytest.mark.parametrize("initialization", ["zeros", "he"])
def test_the_training_from_each_start(initialization, figure, capsys):
    X, Y = examples()
    start = getattr(init_utils, f"initialize_parameters_{initialization}")([2, 10, 5, 1])
    expected, costs = descend(X, Y, start, 0.05, 1002)
    actual = init_utils.model(X, Y, 0.05, 1002, initialization=initialization)
    assert_close(actual, expected, RTOL, ATOL)
    printed = lines(capsys)
    assert [head for head, _ in printed] == ["Cost after iteration 0", "Cost after iteration 1000"]
    np.testing.assert_allclose([number for _, number in printed], costs, rtol=RTOL)
    ((drawn, *labels),) = figure
    np.testing.assert_allclose(drawn, costs, rtol=RTOL)
    assert labels == ["cost", "iterations (per hundreds)", "Learning rate =0.05"]


def test_the_costs_that_many_recorded(capsys):
    pytest.importorskip("sklearn")
    train_X, train_Y, test_X, test_Y = init_utils.load_dataset(is_plot=False)
    parameters = init_utils.model(train_X, train_Y)
    np.testing.assert_allclose([number for _, number in lines(capsys)], HE_COSTS, rtol=1e-10)
    init_utils.predict(train_X, train_Y, parameters)
    init_utils.predict(test_X, test_Y, parameters)
    assert capsys.readouterr().out == "Accuracy: 0.9933333333333333\nAccuracy: 0.96\n"


def test_the_start_that_is_too_large_costs_infinitely_at_first(capsys):
    pytest.importorskip("sklearn")
    X, Y, _, _ = init_utils.load_dataset(is_plot=False)
    with pytest.warns(RuntimeWarning, match="certain and wrong"):
        init_utils.model(X, Y, num_iterations=1, initialization="random")
    assert capsys.readouterr().out == "Cost after iteration 0: inf\n"


# -------------------------------------------------------------------------------------------------------- regularization


@pytest.mark.parametrize("options", [{}, {"lambd": 0.7}, {"keep_prob": 0.86}])
def test_the_training_with_each_regularization(options, figure, capsys):
    X, Y = examples()
    expected, costs = descend(X, Y, reg_utils.initialize_parameters([2, 20, 3, 1]), 0.1, 1002, **options)
    actual = reg_utils.model(X, Y, learning_rate=0.1, num_iterations=1002, **options)
    assert_close(actual, expected, RTOL, ATOL)
    ((head, number),) = lines(capsys)
    assert head == "Cost after iteration 0"
    np.testing.assert_allclose(number, costs[0], rtol=RTOL)
    ((drawn, *labels),) = figure
    np.testing.assert_allclose(drawn, costs, rtol=RTOL)
    assert labels == ["cost", "iterations (x1,000)", "Learning rate =0.1"]


# ------------------------------------------------------------------------------------------------------------ optimizers


def by_batches(X, Y, sizes, optimizer, epochs, size, rate=0.01, beta=0.8, beta1=0.7, beta2=0.99, epsilon=1e-6):
    """The parameters after training in NumPy, and of each epoch the costs of its batches' examples."""
    parameters = opt_utils.initialize_parameters(sizes)
    v, s = ({key: 0 * value for key, value in parameters.items()} for _ in range(2))
    t, epochs_costs = 0, []
    for epoch in range(epochs):
        costs = []
        for x, y in opt_utils.random_mini_batches(X, Y, size, seed=11 + epoch):
            a3, seen = forward(x, parameters)
            costs.append((cost(a3, y), y.size))
            grads, t = backward(x, y, seen), t + 1
            for key in parameters:
                d = grads[f"d{key}"]
                if optimizer == "gd":
                    step = d
                elif optimizer == "momentum":
                    step = v[key] = beta * v[key] + (1 - beta) * d
                else:
                    v[key], s[key] = beta1 * v[key] + (1 - beta1) * d, beta2 * s[key] + (1 - beta2) * d**2
                    step = v[key] / (1 - beta1**t) / (np.sqrt(s[key] / (1 - beta2**t)) + epsilon)
                parameters[key] = parameters[key] - rate * step
        epochs_costs.append(costs)
    return parameters, epochs_costs


@pytest.mark.parametrize("module", [opt_utils, opt_utils_v1a])
@pytest.mark.parametrize("optimizer", ["gd", "momentum", "adam"])
@pytest.mark.parametrize("size", [7, 15, 64])
def test_the_training_by_each_optimizer(module, optimizer, size, figure, capsys):
    X, Y = examples()
    expected, epochs_costs = by_batches(X, Y, [2, 6, 3, 1], optimizer, 102, size)
    after = np.random.rand()
    actual = module.model(
        X, Y, [2, 6, 3, 1], optimizer, 0.01, size, beta=0.8, beta1=0.7, beta2=0.99, epsilon=1e-6, num_epochs=102
    )  # fmt: skip
    assert np.random.rand() == after
    assert_close(actual, expected, RTOL, ATOL)
    if module is opt_utils:
        costs = [costs[-1][0] for costs in epochs_costs[::100]]
    else:
        costs = [sum(mean * m for mean, m in costs) / 30 for costs in epochs_costs[::100]]
    assert capsys.readouterr().out == f"Cost after epoch 0: {costs[0]:f}\n"
    ((drawn, *labels),) = figure
    np.testing.assert_allclose(drawn, costs, rtol=RTOL)
    assert labels == ["cost", "epochs (per 100)", "Learning rate = 0.01"]


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("gd", {"rate": -0.001}),
        ("momentum", {"rate": 0}),
        ("momentum", {"beta": 1}),
        ("momentum", {"beta": 0}),
        ("adam", {"beta1": 0}),
    ],
)
def test_numbers_that_the_compiled_rules_take_or_not(optimizer, options):
    X, Y = examples()
    expected, _ = by_batches(X, Y, [2, 6, 3, 1], optimizer, 103, 15, **options)
    given = {"beta": 0.8, "beta1": 0.7, "beta2": 0.99, "epsilon": 1e-6} | options
    rate = given.pop("rate", 0.01)
    actual = opt_utils.model(X, Y, [2, 6, 3, 1], optimizer, rate, 15, num_epochs=103, **given)
    assert_close(actual, expected, RTOL, ATOL)


@pytest.mark.parametrize("print_cost", [True, False])
def test_printing_changes_no_number(print_cost):
    X, Y = examples()
    expected, _ = by_batches(X, Y, [2, 6, 3, 1], "adam", 205, 15, beta1=0.9, beta2=0.999, epsilon=1e-8)
    actual = opt_utils.model(X, Y, [2, 6, 3, 1], "adam", 0.01, 15, num_epochs=205, print_cost=print_cost)
    assert_close(actual, expected, RTOL, ATOL)


@pytest.mark.parametrize(("module", "optimizer"), [(opt_utils, "gd"), (opt_utils_v1a, "momentum")])
def test_the_costs_of_optimizers_that_many_recorded(module, optimizer, capsys):
    pytest.importorskip("sklearn")
    X, Y = module.load_dataset(is_plot=False)
    module.model(X, Y, [2, 5, 2, 1], optimizer, num_epochs=1001)
    first, second = OPTIMIZER_COSTS[module, optimizer]
    assert capsys.readouterr().out == f"Cost after epoch 0: {first}\nCost after epoch 1000: {second}\n"


# ---------------------------------------------------------------------------------------------------------------- common

OPTIONS = {"layers_dims": (2, 4, 3, 1), "optimizer": "gd", "num_epochs": 3}
CALLS = {
    "init": lambda X, Y, **options: init_utils.model(X, Y, **{"num_iterations": 3} | options),
    "reg": lambda X, Y, **options: reg_utils.model(X, Y, **{"num_iterations": 3} | options),
    "l2": lambda X, Y, **options: reg_utils.model(X, Y, **{"num_iterations": 3, "lambd": 0.1} | options),
    "dropout": lambda X, Y, **options: reg_utils.model(X, Y, **{"num_iterations": 3, "keep_prob": 0.5} | options),
    "opt": lambda X, Y, **options: opt_utils.model(X, Y, **OPTIONS | options),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_without_print_cost_there_are_no_costs(name, figure, capsys):
    CALLS[name](*examples(), print_cost=False)
    assert capsys.readouterr().out == ""
    assert [costs for costs, *_ in figure] == [[]]


def huge():
    X, Y = examples()
    return 1e3 * X, Y


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("train", "message"),
    [
        (lambda X, Y: init_utils.model(X, Y, 1e300, 50), "^iteration [0-9]+ makes parameters that are not finite"),
        (lambda X, Y: reg_utils.model(X, Y, 1e300, 50, lambd=0.7), "^iteration [0-9]+ makes parameters that are not finite"),
        (
            lambda X, Y: reg_utils.model(X, Y, 1e300, 150, keep_prob=0.9),
            "^iteration [0-9]+ makes parameters that are not finite",
        ),
        (lambda X, Y: opt_utils.model(X, Y, (2, 4, 3, 1), "gd", 1e300, 7), "^epoch 0 makes parameters that are not finite"),
        (
            lambda X, Y: opt_utils.model(X, Y, (2, 4, 3, 1), "gd", 1e300, 7, print_cost=False),
            "^epoch 0 makes parameters that are not finite",
        ),
    ],
)
def test_a_training_that_diverges_stops_with_the_last_finite_parameters(train, message, figure):
    with pytest.raises(FloatingPointError, match=message) as failing:
        train(*huge())
    assert all(np.isfinite(value).all() for value in vars(failing.value)["parameters"].values())
    assert figure == []


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that signals")
@pytest.mark.parametrize("name", ["opt", "l2"])
def test_an_interrupt_ends_a_compiled_training(name, figure):
    def interrupted(*_):
        raise KeyboardInterrupt

    long = {"num_epochs": 10**12} if name == "opt" else {"num_iterations": 10**12}
    CALLS[name](*examples())  # the kernels are loaded
    before = signal.signal(signal.SIGALRM, interrupted)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            CALLS[name](*examples(), print_cost=False, **long)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not running
    assert len(figure) == 1


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("init", {"initialization": "He"}, "initialization is 'He'; known ones are 'zeros', 'random', 'he'"),
        ("init", {"initialization": ["he"]}, r"initialization is \['he'\]; known ones are 'zeros'"),
        ("opt", {"optimizer": ["gd"]}, r"optimizer is \['gd'\]; known ones are 'gd'"),
        ("reg", {"keep_prob": 0}, "keep_prob is 0; expected the part"),
        ("l2", {"keep_prob": 0.5}, r"lambd is 0\.1 and keep_prob 0\.5; expected lambd = 0 or keep_prob = 1"),
        ("reg", {"lambd": np.nan}, "lambd is nan"),
        ("opt", {"optimizer": "sgd"}, "optimizer is 'sgd'; known ones are 'gd', 'momentum', 'adam'"),
        ("opt", {"layers_dims": (2, 4, 1)}, r"layers_dims is \[2, 4, 1\]; expected four sizes"),
        ("opt", {"mini_batch_size": 0}, "mini_batch_size is 0; expected at least 1"),
        *((name, {"learning_rate": np.inf}, "learning_rate is inf; expected a finite number") for name in CALLS),
        *((name, {"X": np.ones(5)}, r"X has shape \(5,\)") for name in CALLS),
        *((name, {"X": np.full((2, 30), np.nan)}, "X .*not finite") for name in CALLS),
        *((name, {"Y": np.ones(30)}, r"Y has shape \(30,\)") for name in CALLS),
    ],
)
def test_what_is_refused_prints_and_draws_nothing(name, options, message, figure, capsys):
    X, Y = examples()
    with pytest.raises(ValueError, match=message):
        CALLS[name](**{"X": X, "Y": Y} | options)
    assert capsys.readouterr().out == ""
    assert figure == []


@pytest.mark.parametrize("name", CALLS)
def test_without_matplotlib_the_extra_is_named(name, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'^model needs matplotlib: pip install "\.\[plot\]" in a clone of fastbackprop$'):
        CALLS[name](*examples())
    assert capsys.readouterr().out == ""
