"""Work that no signal handler reaches: it is done once, or never begins, and its error is raised where it is waited for."""

import pytest

from fastbackprop.kernels.tasks import Task, do


def test_a_task_is_done_once_however_often_it_is_started():
    done = []

    def work():
        done.append(1)
        return "result"

    task = Task(work)
    for _ in range(3):
        task.start()
    assert [task.wait(), task.wait()] == ["result", "result"]
    assert done == [1]


def test_a_task_that_has_settled_is_done_or_never_begins():
    done: list[int] = []
    task = Task(done.append, 1)
    task.settle()
    task._run()  # a thread that comes late
    assert task.done
    assert done == []
    task = Task(done.append, 2)
    task.start()
    assert task.wait() is None
    task.settle()
    assert done == [2]


def test_an_error_of_the_work_is_raised_where_it_is_waited_for():
    with pytest.raises(ZeroDivisionError):
        do(lambda: 1 / 0)
