"""Trainings on several processes, of one machine or of many, by MPI: the extra ``mpi``.

``mpiexec -n 4 python script.py``, in which each process (rank) loads its part of the data, for instance by ``read_part``, and
calls ``L_layer_model`` or ``train`` from here; ``mpiexec -n 4 python -m fastbackprop.extras.mpi train DATA`` is a command. From
the import on, an exception that nobody catches ends all ranks.
"""

from fastbackprop.extras import missing

try:
    from mpi4py import MPI
except ImportError as error:
    raise missing("fastbackprop.extras.mpi", "mpi") from error
except RuntimeError as error:
    raise ImportError("mpi4py finds no MPI library: pip install mpich, or load the cluster's own") from error

from fastbackprop.extras.mpi.fitting import train
from fastbackprop.extras.mpi.ranks import end_together
from fastbackprop.extras.mpi.reading import read_part
from fastbackprop.extras.mpi.training import L_layer_model

__all__ = ["L_layer_model", "read_part", "train"]

if MPI.COMM_WORLD.Get_size() > 1:
    end_together()
