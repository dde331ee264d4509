"""The cost curve of a training. It needs matplotlib, the extra ``plot``."""

from collections.abc import Sequence

try:
    from matplotlib import pyplot as plt
except ImportError as error:
    raise ImportError('plot_cost=True needs matplotlib: pip install ".[plot]" in a clone of fastbackprop') from error


def plot_costs(costs: Sequence[float], learning_rate: float) -> None:
    """Draw and show the costs, one every hundred iterations."""
    plt.plot(costs)
    plt.ylabel("cost")
    plt.xlabel("iterations (per hundreds)")
    plt.title(f"Learning rate = {learning_rate}")
    plt.show()
