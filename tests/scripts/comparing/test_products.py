"""Products beside NumPy's and MKL's: who takes part, what is printed, and that all compute the same."""

import numpy as np
import pytest

pytest.importorskip("threadpoolctl")
from scripts.comparing import command, mkl, products
from scripts.comparing.products import measure, peers
from scripts.drawing.tables import gemm


def run(threads=1, part=0.1, skipped=None):
    sides = {"fastbackprop": 1e-3, "NumPy": 1.2e-3, "MKL": 2e-3}
    row = {
        "n": 100,
        "dtype": "float64",
        "sides": {side: {"seconds": s, "ratio": [1e3 * s, 990 * s, 1010 * s]} for side, s in sides.items()},
        "of the bound": {"NumPy": 0.0, "MKL": part},
    }
    return {"net": products.NAME, "threads": threads, "products": [row], "skipped": skipped or {}}


def test_a_line_a_product():
    _, line = products.lines([run(2)])
    assert " ".join(line.split()) == "100 float64 2 threads 2.0 NumPy 1.20 [1.19, 1.21] MKL 2.00 [1.98, 2.02]"
    assert [*command.lines([run(2)])] == [*products.lines([run(2)])]


def test_the_rows_of_the_table_are_products_in_their_order():
    made = products.rows([run(1), run(2)])
    assert [(row["n"], row["dtype"], row["threads"]) for row in made] == [(100, "float64", 1), (100, "float64", 2)]
    head, (cells, _) = gemm(made).head, gemm(made).rows
    assert dict(zip(head, cells, strict=True)) == {
        **{"dtype": "float64", "n": "100", "threads": "1", "fastbackprop, µs": "1,000", "GFLOP/s": "2"},
        **{"NumPy": "1.20 [1.19, 1.21]", "MKL": "2.00 [1.98, 2.02]"},
    }


@pytest.mark.parametrize(("part", "wrong"), [(1.0, 0), (1.5, 1), (float("nan"), 1), (float("inf"), 1)])
def test_products_that_differ_are_reported(part, wrong):
    found = command.apart([run(2, part)])
    assert len(found) == wrong and all(line.startswith("100^3, float64: MKL, 2 threads") for line in found)


def test_a_missing_mkl_is_one_line(monkeypatch):
    def missing(name):
        raise mkl.PackageNotFoundError(name)

    monkeypatch.setattr(mkl, "files", missing)
    there, skipped = peers(1)
    assert [*there] == ["NumPy"]
    assert [*products.lines([run(skipped=skipped)])][-1] == "  MKL skipped: the package mkl is not installed"


def test_an_mkl_without_its_library_is_skipped(monkeypatch):
    monkeypatch.setattr(mkl, "files", lambda name: None)
    assert peers(1)[1] == {"MKL": "the package mkl has no libmkl_rt"}


def test_an_mkl_that_cannot_be_loaded_is_skipped(monkeypatch, tmp_path):
    (broken := tmp_path / "libmkl_rt.so").write_text("no library")
    monkeypatch.setattr(mkl, "library", lambda: broken)
    assert peers(1)[1]["MKL"].startswith("MKL cannot be loaded: ")


def test_one_thread_needs_no_threading_layer():
    assert mkl.variables(1) == {"MKL_THREADING_LAYER": "SEQUENTIAL", "MKL_NUM_THREADS": "1"}
    assert mkl.variables(2) == {"MKL_THREADING_LAYER": "INTEL", "MKL_NUM_THREADS": "2"}


@pytest.mark.parametrize("dtype", products.DTYPES)
def test_all_sides_compute_the_product(dtype, monkeypatch):
    monkeypatch.setattr(products, "AT_LEAST", 0.0)
    sides, skipped = peers(1)
    row = measure(17, dtype, 1, 1, sides)
    assert [*row["sides"]] == ["fastbackprop", *sides]
    assert {*row["of the bound"]} == {*sides} and all(part <= 1 for part in row["of the bound"].values()), skipped

    def wrong(A, B, C):
        return lambda: np.copyto(C, A @ B + 1)

    assert measure(17, dtype, 1, 1, {"wrong": wrong})["of the bound"]["wrong"] > 1


def test_mkl_multiplies_arrays_that_are_not_square():
    try:
        library = mkl.Mkl(1)
    except ImportError as error:
        pytest.skip(str(error))
    assert "Math Kernel Library" in library.version()
    for dtype in products.DTYPES:
        A, B, C = (np.arange(r * c, dtype=dtype).reshape(r, c) for r, c in ((2, 3), (3, 5), (2, 5)))
        library.product(A, B, C)()
        assert np.array_equal(C, A @ B)
